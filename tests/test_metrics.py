"""skinlesion.metrics: each number is what its formula says, ties and all."""

import numpy as np
import pytest
from sklearn import metrics as sk

from skinlesion import metrics

MIN_TPRS = [0.0, 0.25, 0.5, 0.8, 0.88, 0.99]
SEEDS = pytest.mark.parametrize("seed", range(25))


def ranking(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A ranking of few or many lesions, with few or many ties, and both classes."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(5, 200))
    y_true = (rng.random(n) < rng.choice([0.05, 0.3, 0.7])).astype(int)
    y_true[:2] = 0, 1
    y_score = y_true * rng.random() + rng.normal(size=n)
    decimals = int(rng.choice([0, 1, 9]))
    return y_true, np.round(y_score, decimals)


def by_the_competition(y_true: np.ndarray, y_score: np.ndarray, min_tpr: float) -> float:
    """The area as the competition computed it: upside down, then without McClish's scale."""
    max_fpr = 1 - min_tpr
    scaled = sk.roc_auc_score(1 - y_true, -y_score, max_fpr=max_fpr)
    if max_fpr == 1:
        return scaled
    lowest = 0.5 * max_fpr**2
    return lowest + (max_fpr - lowest) / (1.0 - 0.5) * (scaled - 0.5)


RANKS = pytest.mark.parametrize("measure", [metrics.partial_auc, metrics.auc], ids=["pauc", "auc"])


# === Partial AUC ===


@SEEDS
@pytest.mark.parametrize("min_tpr", MIN_TPRS)
def test_the_partial_area_is_the_competitions(seed, min_tpr):
    y_true, y_score = ranking(seed)
    expected = by_the_competition(y_true, y_score, min_tpr)
    assert metrics.partial_auc(y_true, y_score, min_tpr=min_tpr) == pytest.approx(
        expected, abs=1e-9
    )


@SEEDS
def test_the_partial_area_is_the_sum_of_thin_slices_of_the_curve(seed):
    y_true, y_score = ranking(seed)
    fpr, tpr, _ = sk.roc_curve(y_true, y_score, drop_intermediate=False)
    x = (np.arange(200_000) + 0.5) / 200_000
    height = np.clip(np.interp(x, fpr + 1e-12 * np.arange(len(fpr)), tpr) - 0.8, 0, None)
    assert metrics.partial_auc(y_true, y_score) == pytest.approx(height.mean(), abs=1e-5)


@SEEDS
def test_the_partial_area_above_0_is_the_whole(seed):
    y_true, y_score = ranking(seed)
    whole = metrics.auc(y_true, y_score)
    assert metrics.partial_auc(y_true, y_score, min_tpr=0) == pytest.approx(whole, abs=1e-12)


@pytest.mark.parametrize("min_tpr", MIN_TPRS)
@pytest.mark.parametrize("n_positives", [1, 3, 5, 10])
def test_a_perfect_order_scores_1_minus_min_tpr_and_the_worst_0(min_tpr, n_positives):
    y_true = np.array([0] * 7 + [1] * n_positives)
    y_score = np.arange(len(y_true))
    perfect = metrics.partial_auc(y_true, y_score, min_tpr=min_tpr)
    assert perfect == pytest.approx(1 - min_tpr, abs=1e-12)
    assert metrics.partial_auc(y_true, -y_score, min_tpr=min_tpr) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("min_tpr", MIN_TPRS)
def test_equal_scores_are_worth_exactly_as_much_as_a_random_order(min_tpr):
    tied = metrics.partial_auc([0, 1, 0, 0, 1], [0.3] * 5, min_tpr=min_tpr)
    assert tied == pytest.approx((1 - min_tpr) ** 2 / 2, abs=1e-12)


@pytest.mark.parametrize("min_tpr", [0.5, 0.8])
def test_a_random_order_scores_about_half_the_square_of_1_minus_min_tpr(min_tpr):
    rng = np.random.default_rng(0)
    y_true = np.arange(20_000) < 4_000
    found = metrics.partial_auc(y_true, rng.random(20_000), min_tpr=min_tpr)
    assert found == pytest.approx((1 - min_tpr) ** 2 / 2, rel=0.1)


def test_the_partial_area_is_not_rescaled():
    y_true, y_score = ranking(1)
    found = metrics.partial_auc(y_true, y_score)
    assert 0 <= found <= 0.2
    assert found != pytest.approx(sk.roc_auc_score(1 - y_true, -y_score, max_fpr=0.2), abs=0.1)


def test_the_partial_area_never_grows_with_min_tpr():
    for seed in range(10):
        found = [metrics.partial_auc(*ranking(seed), min_tpr=t) for t in MIN_TPRS]
        assert found == sorted(found, reverse=True)


@pytest.mark.parametrize("min_tpr", [-0.1, 1.0, 1.1, np.nan])
def test_a_min_tpr_out_of_range_is_refused(min_tpr):
    with pytest.raises(ValueError, match=rf"min_tpr must be in \[0, 1\)\. Got {min_tpr}"):
        metrics.partial_auc([0, 1], [0.1, 0.2], min_tpr=min_tpr)


# === What all have in common ===


@SEEDS
@RANKS
def test_only_the_order_counts(seed, measure):
    y_true, y_score = ranking(seed)
    found = measure(y_true, y_score)
    for same in (3 * y_score - 7, np.exp(y_score), np.unique(y_score, return_inverse=True)[1]):
        assert measure(y_true, same) == pytest.approx(found, abs=1e-12)


@SEEDS
@RANKS
def test_the_order_of_the_lesions_does_not_matter(seed, measure):
    y_true, y_score = ranking(seed)
    rows = np.random.default_rng(seed).permutation(len(y_true))
    assert measure(y_true[rows], y_score[rows]) == pytest.approx(
        measure(y_true, y_score), abs=1e-12
    )


@RANKS
def test_lists_and_booleans_do_as_well(measure):
    y_true, y_score = ranking(2)
    found = measure(y_true, y_score)
    assert measure(y_true.tolist(), y_score.tolist()) == found
    assert measure(y_true.astype(bool), y_score) == found


@RANKS
@pytest.mark.parametrize("y_true", [[0, 0, 0], [1, 1, 1], [0, 1, 2], [0, 1, np.nan], []])
def test_targets_other_than_both_0_and_1_are_refused(measure, y_true):
    with pytest.raises(ValueError, match="y_true must hold both 0 and 1"):
        measure(y_true, [0.1, 0.2, 0.3][: len(y_true)])


@RANKS
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_is_refused(measure, wrong):
    with pytest.raises(ValueError, match=r"y_score must be finite\. Got 2 others"):
        measure([0, 1, 1], [0.1, wrong, wrong])


# === The others ===


@SEEDS
def test_the_auc_is_the_share_of_pairs_in_the_right_order_ties_half(seed):
    y_true, y_score = ranking(seed)
    pairs = y_score[y_true == 1][:, None] - y_score[y_true == 0]
    expected = ((pairs > 0) + 0.5 * (pairs == 0)).mean()
    assert metrics.auc(y_true, y_score) == pytest.approx(expected, abs=1e-12)


@SEEDS
def test_the_log_loss_is_that_of_the_probabilities(seed):
    y_true, logits = ranking(seed)
    expected = sk.log_loss(y_true, 1 / (1 + np.exp(-logits)))
    assert metrics.log_loss(y_true, logits) == pytest.approx(expected, rel=1e-9)


def test_the_log_loss_of_a_logit_of_0_is_that_of_a_coin():
    assert metrics.log_loss([0, 1, 1], [0, 0, 0]) == pytest.approx(np.log(2))


def test_the_log_loss_of_large_logits_neither_overflows_nor_is_cut():
    assert metrics.log_loss([0, 1], [1e6, -1e6]) == pytest.approx(1e6)
    assert metrics.log_loss([0, 1], [-1e6, 1e6]) == 0
    assert metrics.log_loss([0, 1], np.float32([100, 100])) == pytest.approx(50)
