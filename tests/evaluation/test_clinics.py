"""evaluation.clinics: what a clinic that nothing was fitted to gets, and what that costs."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from tests.evaluation.test_left_out import drawn
from tests.evaluation.test_measurement import params as evaluate
from tests.members import params as calibrate
from tests.resampling import params as measure
from tests.resampling import written_out

from skinlesion import metrics
from skinlesion.dataset.fold_names import Fold, FoldNames
from skinlesion.errors import InputError
from skinlesion.evaluation import bootstrap, clinics, left_out, runs

SPECIFICITY = evaluate().specificities[0]
COUNTS = {"n_lesions": 1, "n_patients": 1, "n_positives": 1}


def blocks(**changes) -> clinics.Blocks:
    return clinics.Blocks(evaluate(**changes), measure(), calibrate())


def names(n: int = 3, *, n_spare: int = 0) -> FoldNames:
    folds = [
        Fold(fold=k, name=f"clinic {k}", clinics=[f"clinic {k}"], left_out=k < n, **COUNTS)
        for k in range(n + n_spare)
    ]
    return FoldNames(by="clinic", folds=folds)


@pytest.fixture(scope="module")
def oof() -> pd.DataFrame:
    return drawn(0)


@pytest.fixture(scope="module")
def other(oof) -> pd.DataFrame:
    """The same lesions under patient folds, scored better, and lesions that oof lacks."""
    table = drawn(0, n_folds=5)
    better = table["member_table"] ** (1 - 0.2 * table["target"])
    more = table.head(40).assign(isic_id=[f"ISIC_9{i:06d}" for i in range(40)])
    table = table.assign(member_table=better)
    return pd.concat([table, more]).sample(frac=1, random_state=0, ignore_index=True)


@pytest.fixture(scope="module")
def found(oof, other) -> dict:
    return clinics.measures(oof, names(), blocks(), other)


def expected(lesions: pd.DataFrame) -> dict[str, float]:
    """Each measure by hand, of lesions that are scored, calibrated and flagged."""
    y, z = lesions["target"], logit(lesions["probability"]).to_numpy()[:, None]
    line = LogisticRegression(C=1e9, tol=1e-10, max_iter=1000).fit(z, y)
    level = z.ravel()
    for _ in range(60):  # the intercept of slope 1, by Newton
        p = 1 / (1 + np.exp(-level))
        level = level + (y.sum() - p.sum()) / (p * (1 - p)).sum()
    return {
        "auc": roc_auc_score(y, lesions["score"]),
        "pauc": metrics.partial_auc(y, lesions["score"], min_tpr=0.8),
        "sensitivity": lesions.loc[y == 1, "flagged"].mean(),
        "specificity": 1 - lesions.loc[y == 0, "flagged"].mean(),
        "intercept": float((level - z.ravel()).mean()),
        "slope": float(line.coef_[0, 0]),
    }


def values(intervals: dict) -> dict[str, float]:
    return {name: interval["value"] for name, interval in intervals.items()}


def test_each_measure_of_each_clinic_is_what_it_is_by_hand(oof, found):
    scored = left_out.by_others(oof, calibrate(), specificity=SPECIFICITY)

    assert [row["name"] for row in found["rows"]] == [
        *("clinic 0", "clinic 1", "clinic 2", clinics.MEAN, clinics.POOLED),
    ]
    of_clinics = []
    for fold, row in enumerate(found["rows"][:3]):
        members = scored[scored["fold"] == fold]
        of_clinics.append(expected(members))
        assert values(row["left_out"]) == pytest.approx(of_clinics[-1], abs=1e-3)
        assert (row["n_lesions"], row["n_positives"]) == (len(members), members["target"].sum())
    mean = {name: np.mean([of[name] for of in of_clinics]) for name in clinics.MEASURES}
    assert values(found["rows"][3]["left_out"]) == pytest.approx(mean, abs=1e-3)
    assert values(found["rows"][4]["left_out"]) == pytest.approx(expected(scored), abs=1e-3)


def test_the_same_lesions_are_measured_under_patient_folds(oof, other, found):
    same = other[other["isic_id"].isin(oof["isic_id"])]
    scored = left_out.by_others(same, calibrate(), specificity=SPECIFICITY)
    clinic = scored["isic_id"].map(oof.set_index("isic_id")["fold"])

    for fold, row in enumerate(found["rows"][:3]):
        by_hand = expected(scored[clinic == fold])
        assert values(row["patient_folds"]) == pytest.approx(by_hand, abs=1e-3)
        apart = {k: row["left_out"][k]["value"] - by_hand[k] for k in by_hand}
        assert values(row["difference"]) == pytest.approx(apart, abs=1e-3)
        assert row["difference"]["auc"]["high"] < 0  # they were scored better


def test_intervals_are_over_the_same_resampled_patients(oof, other, found):
    """Resample by resample, written out, for the AUC of a clinic and its difference."""
    resamples = bootstrap.draw(oof, measure())
    one = left_out.by_others(oof, calibrate(), specificity=SPECIFICITY)
    two = other.set_index("isic_id").loc[oof["isic_id"]].reset_index()
    two = left_out.by_others(two, calibrate(), specificity=SPECIFICITY)
    both = one.assign(under_patients=two["score"].to_numpy())
    of_clinic = both[both["fold"] == 1]
    aucs = []
    for i in range(len(resamples.counts)):
        table = written_out(of_clinic, resamples, i)
        aucs.append([roc_auc_score(table["target"], table[c]) for c in ("score", "under_patients")])
    left, under = np.array(aucs).T
    row = found["rows"][1]

    for values_, interval in ((left, row["left_out"]), (left - under, row["difference"])):
        low, high = np.quantile(values_[1:], [0.025, 0.975])
        assert interval["auc"]["low"] == pytest.approx(low, abs=1e-5)
        assert interval["auc"]["high"] == pytest.approx(high, abs=1e-5)


def test_a_run_compared_with_itself_does_not_differ(oof):
    found = clinics.measures(oof, names(), blocks(), oof)

    for row in found["rows"]:
        assert set(values(row["difference"]).values()) == {0.0}


def test_a_clinic_with_few_cancers_gets_its_specificity_only(oof):
    few = oof[(oof["fold"] != 2) | (oof["target"] == 0) | (np.arange(len(oof)) % 9 == 0)]
    found = clinics.measures(few, names(), blocks(), None)
    [row] = [row for row in found["rows"] if row["too_few"]]

    assert row["name"] == "clinic 2"
    defined = {name for name, value in values(row["left_out"]).items() if value is not None}
    assert defined == {"specificity"}
    assert row["difference"] is None
    mean = np.mean([r["left_out"]["auc"]["value"] for r in found["rows"][:2]])
    assert found["rows"][3]["left_out"]["auc"]["value"] == pytest.approx(mean, abs=1e-5)


def test_folds_of_patients_are_no_clinics(oof):
    assert clinics.measures(oof, FoldNames(by="patient", folds=[]), blocks(), None) is None


def test_one_clinic_alone_has_no_others_to_choose_a_threshold_by(oof):
    found = clinics.measures(oof[oof["fold"] == 0], names(n_spare=1), blocks(), None)

    assert found["rows"] == []
    assert found["n_to_leave_out"] == 3
    assert [fold["name"] for fold in found["learnt_from_only"]] == ["clinic 3"]


def test_what_was_found_is_plain_json_and_does_not_depend_on_the_order(oof, other, found):
    shuffled = oof.sample(frac=1, random_state=1)
    again = clinics.measures(shuffled, names(), blocks(), other)

    assert json.dumps(again, allow_nan=False) == json.dumps(found, allow_nan=False)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda t: t[t["isic_id"] != "ISIC_0000007"], "compared on the same lesions"),
        (lambda t: t.assign(fold=0), "must be a run of all its folds"),
        (lambda t: t.drop(columns="fold"), "must be a run of all its folds"),
        (lambda t: t.assign(target=1 - t["target"]), "compared on the same lesions"),
    ],
)
def test_a_run_of_other_lesions_is_refused(oof, other, spoil, message):
    with pytest.raises(InputError, match=f"evaluate.patient_folds.*{message}"):
        clinics.measures(oof, names(), blocks(), spoil(other))


def test_the_other_run_is_read_where_folds_are_of_clinics_and_one_is_named(
    tmp_path, oof, monkeypatch
):
    commit = "0123456789abcdef0123456789abcdef01234567"
    path, named = tmp_path / "oof.csv", evaluate(patient_folds=commit)
    monkeypatch.setattr(runs, "read", lambda *given: oof if given == (commit, path) else None)

    assert len(clinics.other_run(names(), named, path)) == len(oof)
    assert clinics.other_run(names(), evaluate(), path) is None
    assert clinics.other_run(FoldNames(by="patient", folds=[]), named, path) is None
