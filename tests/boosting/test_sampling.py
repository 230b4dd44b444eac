"""boosting.sampling: positives repeated, negatives cut, and what that does to the prior."""

import numpy as np
import pytest

from skinlesion.boosting import sampling


def drawn(n: int, n_positives: int, share: float = 0.003, ratio: float = 100, seed: int = 0):
    y_true = np.zeros(n, int)
    y_true[np.random.default_rng(9).permutation(n)[:n_positives]] = 1
    rng = np.random.default_rng(seed)
    rows = sampling.draw(y_true, positive_share=share, negatives_per_positive=ratio, rng=rng)
    return y_true, rows


def test_rare_positives_are_repeated_to_their_share_and_negatives_cut_to_a_ratio():
    y_true, rows = drawn(320_000, 314)
    n_positives = y_true[rows].sum()
    assert n_positives == 960
    assert len(rows) - n_positives == 96_000


def test_each_positive_occurs_equally_often_or_once_more():
    y_true, rows = drawn(100_000, 70)
    counts = np.bincount(rows, minlength=len(y_true))
    assert set(counts[y_true == 1]) == {4, 5}
    assert counts[y_true == 0].max() == 1


def test_positives_that_are_common_are_all_drawn_once_and_so_are_all_negatives():
    y_true, rows = drawn(1000, 67)
    assert rows.tolist() == list(range(len(y_true)))


def test_another_seed_draws_other_negatives_and_the_same_seed_the_same():
    one, again, other = (drawn(100_000, 30, seed=s)[1] for s in (1, 1, 2))
    assert one.tolist() == again.tolist() != other.tolist()


@pytest.mark.parametrize("weight", [1.0, 2.8])
def test_without_sampling_the_prior_moves_by_the_weight_alone(weight):
    y_true, rows = drawn(1000, 67)
    shift = sampling.prior_shift(y_true, rows, weight_of_positives=weight)
    assert shift == pytest.approx(np.log(weight))


def test_the_prior_moves_by_the_ratio_of_the_odds():
    y_true, rows = drawn(320_000, 314)
    odds = 314 / (320_000 - 314)
    shift = sampling.prior_shift(y_true, rows, weight_of_positives=1.0)
    assert shift == pytest.approx(np.log(0.01 / odds))
