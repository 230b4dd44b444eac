"""preparation.resample: what each epoch sees, and how far that moves the prior."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from skinlesion.preparation import resample

N_POSITIVES, N_NEGATIVES = 6, 400
PARAMS = {
    "positive_repeats": 3,
    "negatives_per_positive": 10.0,
    "negative_fraction": 1.0,
    "max_negatives_per_patient": None,
    "n_planned_epochs": 8,
    "class_weights": "none",
    "seed": 5,
}
NATURAL = {"positive_repeats": 1, "negatives_per_positive": None}


def params(**changes) -> resample.Params:
    return resample.Params(**PARAMS | changes)


@pytest.fixture(scope="module")
def lesions():
    rng = np.random.default_rng(0)
    n = N_POSITIVES + N_NEGATIVES
    return pd.DataFrame(
        {
            "isic_id": [f"ISIC_{i:05d}" for i in rng.permutation(n)],
            # Half of the lesions are of one patient, as in SLICE-3D some have very many.
            "patient_id": np.where(rng.random(n) < 0.5, "IP_0", rng.choice(list("abcdefgh"), n)),
            "target": [1] * N_POSITIVES + [0] * N_NEGATIVES,
        }
    )


def with_facts(lesions: pd.DataFrame, draws: pd.DataFrame) -> pd.DataFrame:
    return draws.merge(lesions, on="isic_id", validate="many_to_one")


def counts(lesions: pd.DataFrame, draws: pd.DataFrame, target: int) -> pd.DataFrame:
    """How often each lesion of a class is in each epoch: isic_id by epoch."""
    drawn = with_facts(lesions, draws).query("target == @target")
    table = pd.crosstab(drawn["isic_id"], drawn["epoch"])
    return table.reindex(lesions.query("target == @target")["isic_id"], fill_value=0)


CASES = pytest.mark.parametrize(
    "changes",
    [
        {},
        {"positive_repeats": 1},
        {"max_negatives_per_patient": 4},
        {"negatives_per_positive": 0.5},
        {"negatives_per_positive": 1000.0},
        {"negatives_per_positive": None, "negative_fraction": 0.3},
        {"class_weights": "balanced"},
        {"class_weights": [1, 20], "max_negatives_per_patient": 4},
        NATURAL,
    ],
    ids=str,
)


# === What every plan holds ===


@CASES
def test_every_positive_is_in_every_epoch_as_often_as_asked(lesions, changes):
    p = params(**changes)
    assert (counts(lesions, resample.draw(lesions, p), 1) == p.positive_repeats).all().all()


@CASES
def test_no_negative_is_twice_in_an_epoch(lesions, changes):
    assert counts(lesions, resample.draw(lesions, params(**changes)), 0).max().max() == 1


@CASES
def test_the_table_has_its_columns_in_order(lesions, changes):
    draws = resample.draw(lesions, params(**changes))
    assert list(draws.columns) == ["epoch", "isic_id", "weight"]
    assert draws["epoch"].unique().tolist() == list(range(draws["epoch"].nunique()))
    pd.testing.assert_frame_equal(draws, draws.sort_values(["epoch", "isic_id"], kind="stable"))


@CASES
def test_weights_are_1_on_average_in_each_epoch(lesions, changes):
    means = resample.draw(lesions, params(**changes)).groupby("epoch")["weight"].mean()
    np.testing.assert_allclose(means, 1, rtol=1e-12)


@CASES
@pytest.mark.parametrize("shuffle_seed", range(2))
def test_the_order_of_the_rows_and_their_labels_are_irrelevant(lesions, changes, shuffle_seed):
    p = params(**changes)
    shuffled = lesions.sample(frac=1, random_state=shuffle_seed)
    pd.testing.assert_frame_equal(resample.draw(shuffled, p), resample.draw(lesions, p))


def test_the_seed_decides_the_negatives(lesions):
    draws = resample.draw(lesions, params())
    pd.testing.assert_frame_equal(resample.draw(lesions, params()), draws)
    assert not resample.draw(lesions, params(seed=6)).equals(draws)


def test_the_lesions_passed_in_are_left_as_they_were(lesions):
    before = lesions.copy()
    resample.draw(lesions, params())
    pd.testing.assert_frame_equal(lesions, before)


# === Negatives ===


@pytest.mark.parametrize(
    ("changes", "n"),
    [
        ({}, 10 * N_POSITIVES),
        ({"positive_repeats": 7}, 10 * N_POSITIVES),
        ({"negatives_per_positive": 0.5}, 3),
        ({"negatives_per_positive": 0.001}, 1),
        ({"negatives_per_positive": 1e6}, N_NEGATIVES),
        ({"negatives_per_positive": None, "negative_fraction": 0.25}, N_NEGATIVES // 4),
        ({"negatives_per_positive": None, "negative_fraction": 0.0001}, 1),
        ({"negatives_per_positive": None}, N_NEGATIVES),
    ],
)
def test_an_epoch_has_the_number_of_negatives_asked_for(lesions, changes, n):
    per_epoch = counts(lesions, resample.draw(lesions, params(**changes)), 0).sum()
    assert (per_epoch == n).all()


@pytest.mark.parametrize("ratio", [3.0, 10.0, 17.0])
def test_all_negatives_are_seen_before_any_is_seen_again(lesions, ratio):
    p = params(negatives_per_positive=ratio, n_planned_epochs=60)
    seen = counts(lesions, resample.draw(lesions, p), 0).cumsum(axis=1)
    assert ((seen.max() - seen.min()) <= 1).all()
    assert seen.iloc[:, -1].min() >= 2


def test_rotation_shows_other_negatives_from_epoch_to_epoch(lesions):
    table = counts(lesions, resample.draw(lesions, params()), 0)
    for epoch in range(1, N_NEGATIVES // 60):
        assert (table[epoch] * table[epoch - 1]).sum() == 0


def test_when_all_have_been_seen_the_order_starts_anew_otherwise(lesions):
    p = params(negatives_per_positive=N_NEGATIVES / N_POSITIVES / 4)
    table = counts(lesions, resample.draw(lesions, p), 0)
    assert table.shape[1] == 8
    assert (table[[0, 1, 2, 3]].sum(axis=1) == 1).all()
    assert (table[[4, 5, 6, 7]].sum(axis=1) == 1).all()
    assert not table[0].equals(table[4])


@pytest.mark.parametrize("cap", [1, 4, 20])
def test_of_a_patient_at_most_so_many_negatives_are_in_an_epoch(lesions, cap):
    p = params(max_negatives_per_patient=cap, negatives_per_positive=None)
    draws = with_facts(lesions, resample.draw(lesions, p)).query("target == 0")
    per_patient = draws.groupby(["epoch", "patient_id"]).size()
    assert per_patient.max() == cap
    available = lesions.query("target == 0").groupby("patient_id").size().clip(upper=cap).sum()
    assert draws.groupby("epoch").size().eq(available).all()


@pytest.mark.parametrize("cap", [2, 4, 8])
def test_other_patients_fill_the_places_that_the_cap_leaves(lesions, cap):
    p = params(max_negatives_per_patient=cap, negatives_per_positive=3.0)
    available = lesions.query("target == 0").groupby("patient_id").size().clip(upper=cap).sum()
    per_epoch = counts(lesions, resample.draw(lesions, p), 0).sum()
    assert (per_epoch == min(18, available)).all()


def test_within_the_cap_all_of_a_patients_lesions_get_their_turn(lesions):
    p = params(max_negatives_per_patient=40, negatives_per_positive=None, n_planned_epochs=12)
    seen = counts(lesions, resample.draw(lesions, p), 0).sum(axis=1)
    assert seen.min() >= 1
    patient = lesions.set_index("isic_id")["patient_id"]
    assert seen.groupby(patient).agg(lambda n: n.max() - n.min()).max() <= 1


def test_a_cap_does_not_touch_the_positives(lesions):
    one = lesions.assign(patient_id="IP_0")
    table = counts(one, resample.draw(one, params(max_negatives_per_patient=1)), 1)
    assert (table == 3).all().all()


@pytest.mark.parametrize("n_planned_epochs", [1, 20])
def test_the_natural_set_is_one_plan_with_everything(lesions, n_planned_epochs):
    draws = resample.draw(lesions, params(**NATURAL, n_planned_epochs=n_planned_epochs))
    assert draws["epoch"].eq(0).all()
    assert draws["weight"].eq(1).all()
    assert draws["isic_id"].tolist() == sorted(lesions["isic_id"])


def test_as_many_epochs_as_asked_are_planned_when_negatives_rotate(lesions):
    for n in (1, 8):
        draws = resample.draw(lesions, params(n_planned_epochs=n))
        assert draws["epoch"].nunique() == n


# === Weights ===


def sums(lesions: pd.DataFrame, draws: pd.DataFrame) -> pd.Series:
    return with_facts(lesions, draws).groupby("target")["weight"].sum()


def test_without_class_weights_all_weigh_1(lesions):
    assert resample.draw(lesions, params())["weight"].eq(1).all()


@pytest.mark.parametrize("changes", [{}, NATURAL, {"max_negatives_per_patient": 2}])
def test_balanced_classes_weigh_the_same(lesions, changes):
    of = sums(lesions, resample.draw(lesions, params(class_weights="balanced", **changes)))
    assert of[1] == pytest.approx(of[0], rel=1e-12)


@pytest.mark.parametrize("weights", [[1, 20], [2, 40], [3.0, 0.5]])
def test_two_numbers_are_the_weights_of_a_negative_and_a_positive(lesions, weights):
    draws = with_facts(lesions, resample.draw(lesions, params(class_weights=weights)))
    of = draws.groupby("target")["weight"].unique().explode()
    assert len(of) == 2
    assert of[1] / of[0] == pytest.approx(weights[1] / weights[0], rel=1e-12)


# === The prior ===


@pytest.mark.parametrize("repeats", [1, 3])
@pytest.mark.parametrize("weights", ["none", [1, 20], [5, 1]])
@pytest.mark.parametrize("ratio", [2.0, 15.0, None])
def test_the_shift_is_the_log_of_the_ratio_of_the_odds(lesions, repeats, weights, ratio):
    p = params(positive_repeats=repeats, class_weights=weights, negatives_per_positive=ratio)
    shift = resample.prior_shift(lesions, resample.draw(lesions, p))
    n_drawn = N_NEGATIVES if ratio is None else ratio * N_POSITIVES
    factor = 1 if weights == "none" else weights[1] / weights[0]
    assert shift == pytest.approx(np.log(repeats * factor * N_NEGATIVES / n_drawn), abs=1e-12)


@pytest.mark.parametrize("n_planned_epochs", [1, 20])
def test_the_natural_set_does_not_move_the_prior(lesions, n_planned_epochs):
    draws = resample.draw(lesions, params(**NATURAL, n_planned_epochs=n_planned_epochs))
    assert resample.prior_shift(lesions, draws) == pytest.approx(0, abs=1e-12)


def test_balanced_classes_move_the_prior_to_one_half(lesions):
    draws = resample.draw(lesions, params(class_weights="balanced"))
    expected = np.log(N_NEGATIVES / N_POSITIVES)
    assert resample.prior_shift(lesions, draws) == pytest.approx(expected, abs=1e-12)


@CASES
def test_a_model_of_an_intercept_alone_is_put_back_on_the_true_prevalence(lesions, changes):
    draws = resample.draw(lesions, params(**changes))
    drawn = with_facts(lesions, draws)
    logit = 0.0
    for _ in range(50):  # Newton's method on the weighted cross-entropy
        score = 1 / (1 + np.exp(-logit))
        slope = (drawn["weight"] * (drawn["target"] - score)).sum()
        logit += slope / (drawn["weight"].sum() * score * (1 - score))
    score = 1 / (1 + np.exp(-(logit - resample.prior_shift(lesions, draws))))
    assert score == pytest.approx(lesions["target"].mean(), rel=1e-9)


# === Params and summary ===


def test_a_ratio_and_a_fraction_together_are_refused():
    with pytest.raises(ValidationError, match="negatives_per_positive or negative_fraction < 1"):
        params(negatives_per_positive=10.0, negative_fraction=0.5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"positive_repeats": 0},
        {"negatives_per_positive": 0.0},
        {"negative_fraction": 0.0},
        {"negative_fraction": 1.1},
        {"max_negatives_per_patient": 0},
        {"n_planned_epochs": 0},
        {"class_weights": [0, 1]},
        {"class_weights": [1]},
        {"class_weights": "heavy"},
        {"seed": -1},
    ],
    ids=str,
)
def test_a_param_out_of_range_is_refused(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        params(**wrong)


def test_the_summary_says_what_an_epoch_holds_and_what_is_ever_shown(lesions):
    said = resample.summary(lesions, resample.draw(lesions, params(n_planned_epochs=2)))
    assert "an epoch holds 18 positives and about 60 negatives" in said
    assert "2 planned, which show 120 of 400 negatives" in said
