"""dataset.shares: more missing or unseen than training had is said, chance is not."""

import pytest

from skinlesion.dataset.shares import Shares, Tally


def tally(n: int, missing: int = 0, unseen: int = 0, value: str = "x") -> Tally:
    counted = Tally()
    counted.add(n, n_missing=missing, unseen=[value] * unseen)
    return counted


@pytest.mark.parametrize("share", [0.0, 0.03, 0.5])
@pytest.mark.parametrize("n", [1, 20, 1000, 500_000])
def test_the_share_of_training_is_no_news(share, n):
    training = Shares(n_lesions=4000, missing=share, unseen=share)
    found = tally(n, missing=int(share * n), unseen=int(share * n))
    assert found.warnings(training) == []
    assert found.error(training) == ""


@pytest.mark.parametrize(("share", "n", "count"), [(0, 1, 1), (0, 30, 3), (0.03, 1000, 100)])
def test_a_larger_share_is_said_with_both_and_the_values(share, n, count):
    training = Shares(n_lesions=4000, missing=share, unseen=share)
    (missing,) = tally(n, missing=count).warnings(training)
    (unseen,) = tally(n, unseen=count, value="Type 9").warnings(training)
    assert missing == f"{count / n:.1%} of {n:,} lesions missing, {share:.1%} in training"
    assert unseen.endswith(f"unseen, {share:.1%} in training: 'Type 9' ({count:,})")


def test_all_lesions_missing_or_unseen_is_an_error_if_they_are_many_and_training_had_values():
    training = Shares(n_lesions=100, missing=0.1)
    assert tally(20, missing=20).error(training) == "it must not be missing from all 20 lesions"
    assert "Got only 'x' (15)" in tally(20, missing=5, unseen=15).error(training)
    assert tally(19, missing=19).error(training) == ""
    assert tally(20, missing=19).error(training) == ""
    assert tally(20, missing=20).error(Shares(n_lesions=100, missing=1.0)) == ""


def test_pieces_add_up():
    whole, pieces = tally(300, missing=30, unseen=60), Tally()
    for _ in range(3):
        pieces.add(100, n_missing=10, unseen=["x"] * 20)
    assert pieces == whole
