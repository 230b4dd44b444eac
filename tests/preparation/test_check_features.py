"""preparation.check_features: what a later stage would refuse is refused before hours of work."""

import numpy as np
import pandas as pd
import pytest
from tests.checking import Memory, table

from skinlesion.preparation import check, check_features

N = 40
TRAIN = table(
    N,
    age_approx=np.linspace(30, 70, N).round(),
    sex=["male", "female"] * (N // 2),
    clinic=[1.0, 2.0] * (N // 2),
)
TEST = TRAIN.drop(columns="target")
WANTED = {"numeric": ["age_approx"], "categorical": ["sex", "clinic"], "baseline": "age_approx"}


def findings(train=TRAIN, test=TEST, **changes) -> check.Findings:
    parts = {
        name: check.Part(of, f"{name}.csv", Memory({}), f"{name}.hdf5", training=name == "train")
        for name, of in (("train", train), ("test", test))
    }
    found = check.Findings()
    check_features.inspect(parts, check_features.Wanted(**WANTED | changes), found)
    return found


def errors(*args, **changes) -> list[str]:
    return findings(*args, **changes).lines("errors")


def test_what_both_tables_can_give_has_no_findings():
    found = findings()
    assert not found.errors
    assert not found.warnings
    assert not errors(numeric=[], categorical=[], baseline=None)


def test_a_feature_that_only_the_training_table_has_is_refused():
    said = "test.csv: must have the feature 'sex'. Did you mean 'sexx'?"
    assert errors(test=TEST.rename(columns={"sex": "sexx"})) == [said]


def test_features_that_stage_encode_would_refuse_are_refused():
    found = errors(numeric=["age", "target", "clinic"], categorical=["patient_id", "clinic"])
    assert [line.split("'")[1] for line in found] == ["age", "target", "clinic", "patient_id"]
    assert all(line.startswith("encode: ") for line in found)


def test_a_lesion_without_a_name_is_named_by_its_row():
    test = TEST.assign(depth=["deep"] + ["2"] * (N - 1))
    test.loc[0, "isic_id"] = None
    (line,) = errors(TRAIN.assign(depth=1.0), test, numeric=["depth"])
    assert line.endswith("Got 'deep' first (1): row 2")


@pytest.mark.parametrize("half", ["train", "test"])
def test_text_in_a_numeric_feature_is_refused_by_lesion(half):
    given = {"train": TRAIN.assign(depth=1.0), "test": TEST.assign(depth=1.0)}
    given[half] = given[half].assign(depth=["1.5", "deep", "inf", None, "1e39"] + ["2"] * (N - 5))
    (line,) = errors(**given, numeric=["depth"])
    said = f"{half}.csv: depth must be a finite number. Got 'deep' first"
    assert line == f"{said} (3): ISIC_01, ISIC_02, ISIC_04"


@pytest.mark.parametrize("baseline", ["diameter", "sex"])
def test_a_baseline_that_is_no_column_of_numbers_is_refused(baseline):
    (line,) = errors(baseline=baseline)
    assert line.startswith(f"evaluate.baseline: {baseline!r} ")


def test_categories_that_are_all_unseen_are_refused():
    (line,) = errors(test=TEST.assign(sex=["m", "f"] * (N // 2)))
    said = "test.csv: sex: it must have values that training had. Got only"
    assert line == f"{said} 'm' (20), 'f' (20)"


def test_a_column_that_is_wholly_missing_or_impossible_in_test_is_refused():
    for value in (np.nan, -1.0):
        (line,) = errors(test=TEST.assign(age_approx=value))
        assert line == "test.csv: age_approx: it must not be missing from all 40 lesions"
    both = {"train": TRAIN.assign(age_approx=np.nan), "test": TEST.assign(age_approx=np.nan)}
    assert not errors(**both, baseline=None)


def test_a_few_lesions_may_lack_all():
    few = TEST[:3].assign(sex="diverse", age_approx=np.nan)
    found = findings(test=few)
    assert not found.errors
    assert len(found.warnings) == 2


def test_more_that_is_unseen_is_a_warning_with_its_values():
    sex = TEST["sex"].mask(TEST.index < 6, "diverse")
    (line,) = findings(test=TEST.assign(sex=sex)).lines("warnings")
    said = "test.csv: sex: 15.0% of 40 lesions unseen, 0.0% in training: 'diverse' (6)"
    assert line == said


@pytest.mark.parametrize(
    "clinic",
    [[1, 2], ["1", "2"], ["1.0", "2.0"], ["01", " 2"], pd.array([1, 2], "Int64")],
)
def test_another_spelling_of_a_category_is_no_finding(clinic):
    found = findings(test=TEST.assign(clinic=list(clinic) * (N // 2)))
    assert not found.errors
    assert not found.warnings


def test_tables_without_lesions_or_ids_are_left_to_other_checks():
    assert not errors(test=TEST[:0])
    assert not errors(train=TRAIN[:0], baseline=None)
    assert not errors(train=TRAIN.drop(columns="isic_id"))


@pytest.mark.parametrize(
    "baseline", ["target", "isic_id", "score", "member_table", "network_sd_views"]
)
def test_a_baseline_that_is_called_as_what_stages_write_is_refused(baseline):
    lesions = TRAIN.assign(**{baseline: TRAIN.get(baseline, 1.0)})
    lines = errors(train=lesions, baseline=baseline)
    assert any("none of the columns that stages write" in line for line in lines)


def test_a_baseline_that_is_infinite_somewhere_is_refused():
    (line,) = errors(train=TRAIN.assign(depth=np.inf), baseline="depth")
    assert line == "evaluate.baseline: 'depth' must be a column of finite numbers"
