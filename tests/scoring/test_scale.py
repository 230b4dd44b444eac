"""scoring.scale: from logits to scores."""

import numpy as np

from skinlesion.scoring import scale


def test_no_two_logits_below_30_become_a_tie():
    logits = np.concatenate([np.linspace(-30, 30, 10_001), [-30 + 1e-6, 29.9, 29.99]])
    scores = scale.probability(np.sort(logits))

    assert (np.diff(scores) > 0).all()
    assert 0 < scores.min() < scores.max() < 1


def test_opposite_logits_have_complementary_scores():
    logits = np.linspace(-20, 20, 11)

    np.testing.assert_allclose(scale.probability(logits), 1 - scale.probability(-logits))


def test_extreme_logits_do_not_overflow():
    assert np.isfinite(scale.probability(np.array([-800.0, 800.0]))).all()
