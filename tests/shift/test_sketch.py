"""shift.sketch: fewer numbers in place of image features, at about the same distances."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from skinlesion.shift import sketch


def features(n_features: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).gamma(0.5, size=(60, n_features)).astype(np.float32)


def test_distances_stay_on_average():
    x = features(1408)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    ratio = pdist(sketch.of(x)) / pdist(unit)

    assert sketch.of(x).shape == (60, sketch.WIDTH)
    assert ratio.mean() == pytest.approx(1, abs=0.1)
    assert ratio.std() < 0.15


@pytest.mark.parametrize("n_features", [200, 1408, 2000])
def test_inner_products_stay_on_average_though_no_feature_is_negative(n_features):
    """Sums without signs would be 4 to 30 times as large."""
    x = features(n_features)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    pairs, short = np.triu_indices(len(x), 1), sketch.of(x)

    ratio = (short @ short.T)[pairs] / (unit @ unit.T)[pairs]
    assert ratio.mean() == pytest.approx(1, abs=0.2)


def test_each_feature_has_a_part():
    x = features(300)[:1]
    found = sketch.of(x)
    for i in (0, 17, 299):
        changed = x.copy()
        changed[0, i] += 5
        assert not np.allclose(sketch.of(changed), found, atol=1e-3)


def test_how_strongly_a_network_reacts_does_not_matter():
    x = features(200)

    np.testing.assert_allclose(sketch.of(50 * x), sketch.of(x), atol=1e-6)


def test_few_features_are_kept_as_they_are():
    x = features(8)

    np.testing.assert_allclose(
        sketch.of(x), x / np.linalg.norm(x, axis=1, keepdims=True), rtol=1e-6
    )


def test_a_lesion_gets_the_same_bits_beside_any_others():
    x = features(500)

    np.testing.assert_array_equal(np.vstack([sketch.of(row[None]) for row in x]), sketch.of(x))


@pytest.mark.parametrize("n_features", [8, 500])
def test_an_unread_tile_stays_without_features_and_no_tile_is_no_error(n_features):
    x = features(n_features)
    x[3] = np.nan

    assert np.flatnonzero(np.isnan(sketch.of(x)).all(1)).tolist() == [3]
    assert sketch.of(x[:0]).shape == (0, min(n_features, sketch.WIDTH))
    assert not sketch.of(np.zeros((1, n_features), np.float32)).any()
