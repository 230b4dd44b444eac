"""evaluation.combination: several members' scores become one, and how far they are apart."""

import numpy as np
import pytest
from tests.members import BOTH, drawn, params, spread

from skinlesion.errors import InputError
from skinlesion.evaluation import combination, stacking


def test_alone_the_table_expert_is_that_of_single_lesions_and_the_network_the_same():
    lesions = drawn()
    combined = stacking.fit(lesions, BOTH, params())
    expected = combined.score(lesions.assign(table=lesions["table_alone"]))
    np.testing.assert_array_equal(combined.score(lesions, alone=True), expected)


def test_ranks_are_frozen_on_the_out_of_fold_scores():
    combined = stacking.fit(drawn(), BOTH, params(combine="ranks"))
    other = drawn(5)
    alone = [combined.score(other.iloc[[i]])[0] for i in range(5)]
    assert alone == combined.score(other)[:5].tolist()


def test_the_uncertainty_is_the_root_of_the_weighted_sum_of_squares():
    lesions = spread(drawn(n=20))
    combined = combination.Combination(
        method="logistic", weights={"network": 0.25, "table": 0.75}, ranks={}
    )
    variance = sum(
        combined.weights[name] ** 2 * lesions[column] ** 2
        for name, columns in combination.SPREADS.items()
        for column in columns
    )

    np.testing.assert_allclose(combined.uncertainty(lesions), np.sqrt(variance))
    one = combination.Combination(method="one", weights={"table": 1.0}, ranks={})
    own = lesions.drop(columns="table_sd_folds")
    np.testing.assert_allclose(one.uncertainty(own), lesions["table_sd_seeds"])


def test_without_a_spread_of_a_member_that_counts_the_uncertainty_is_not_known():
    lesions = spread(drawn(n=20)).drop(columns=["table_sd_folds", "table_sd_seeds"])
    one = combination.Combination(method="one", weights={"table": 1.0}, ranks={})
    ranks = stacking.fit(drawn(), BOTH, params(combine="ranks"))

    idle = combination.Combination(
        method="logistic", weights={"network": 0.0, "table": 1.0}, ranks={}
    )

    assert np.isnan(one.uncertainty(lesions)).all()
    assert np.isnan(idle.uncertainty(lesions)).all()
    assert np.isnan(ranks.uncertainty(spread(drawn(n=20)))).all()


def test_a_combination_that_was_written_is_read_again_and_told_in_a_line(tmp_path):
    combined = stacking.fit(drawn(), BOTH, params())
    combination.save(tmp_path / "combination.json", combined)
    assert combination.load(tmp_path / "combination.json") == combined
    assert "network" in combination.summary(combined)


@pytest.mark.parametrize("text", [None, "", "{}", '{"method": "mean", "weights": {}, "ranks": {}}'])
def test_what_is_no_combination_is_refused_by_name(tmp_path, text):
    if text is not None:
        (tmp_path / "combination.json").write_text(text)
    with pytest.raises(InputError, match=r"combination\.json must be a combination"):
        combination.load(tmp_path / "combination.json")


def test_a_lesion_that_a_varying_member_could_not_score_has_no_uncertainty():
    """It would look the surest of all, by the other member's spread alone."""
    lesions = spread(drawn(n=20))
    network = [c for c in lesions if c.startswith("network_sd_")]
    lesions.loc[3, network] = np.nan
    both = {"network": 0.25, "table": 0.75}
    combined = combination.Combination(method="logistic", weights=both, ranks={})
    alone = combination.Combination(method="one", weights={"table": 1.0}, ranks={})

    assert np.flatnonzero(np.isnan(combined.uncertainty(lesions))).tolist() == [3]
    assert np.isnan(combined.uncertainty(lesions.loc[[3]], varying=network)).all()
    assert not np.isnan(combined.uncertainty(lesions.loc[[3]])).any()  # one network, one view
    assert not np.isnan(alone.uncertainty(lesions)).any()
