"""preparation.check_table: what is wrong with a table is named by column, value and lesion."""

import numpy as np
import pandas as pd
import pytest
from tests.checking import as_read, errors, inspect, table

from skinlesion.dataset import columns


@pytest.fixture
def right(tmp_path):
    return as_read(table(), tmp_path)


@pytest.mark.parametrize("training", [True, False])
def test_an_isic_id_that_occurs_twice_is_named(tmp_path, training):
    twice = ["ISIC_00", "ISIC_01", "ISIC_02", "ISIC_01", "ISIC_04", "ISIC_05"]
    found = errors(as_read(table(isic_id=twice), tmp_path), training=training)
    assert found == {"train.csv: isic_id must not occur twice": ["ISIC_01", "ISIC_01"]}


@pytest.mark.parametrize("training", [True, False])
def test_a_missing_isic_id_is_named_by_its_line_in_the_file(tmp_path, training):
    some = ["ISIC_00", None, "ISIC_02", "  ", "ISIC_04", ""]
    found = errors(as_read(table(isic_id=some), tmp_path), training=training)
    assert found == {"train.csv: isic_id must not be missing": ["row 3", "row 5", "row 7"]}


def test_an_isic_id_that_is_a_path_is_refused(tmp_path):
    some = ["ISIC_00", "../ISIC_01", "ISIC_02", "ISIC_03", "ISIC_04", "ISIC_05"]
    found = errors(as_read(table(isic_id=some), tmp_path))
    said = "train.csv: isic_id must not hold a slash. Got '../ISIC_01' first"
    assert found == {said: ["../ISIC_01"]}


@pytest.mark.parametrize(
    ("column", "value", "finding"),
    [
        ("patient_id", "", "patient_id must not be missing"),
        ("patient_id", " ", "patient_id must not be missing"),
        ("target", 2, "target must be 0 or 1. Got 2 first"),
        ("target", -1, "target must be 0 or 1. Got -1 first"),
        ("target", 0.5, "target must be 0 or 1. Got 0.5 first"),
        ("target", "", "target must not be missing"),
        ("target", "benign", "target must be 0 or 1. Got 'benign' first"),
        ("age_approx", "old", "age_approx must be a finite number. Got 'old' first"),
        ("age_approx", np.inf, "age_approx must be a finite number. Got inf first"),
        ("age_approx", 1e39, "age_approx must be a finite number. Got 1e+39 first"),
        ("age_approx", -np.inf, "age_approx must be a finite number. Got -inf first"),
        ("tbp_lv_A", "x", "tbp_lv_A must be a finite number. Got 'x' first"),
    ],
)
def test_a_wrong_value_is_named_by_column_value_and_lesion(tmp_path, column, value, finding):
    lesions = table(tbp_lv_A=1.5).astype({column: object})
    lesions.loc[4, column] = value
    found = errors(as_read(lesions, tmp_path))
    assert found == {f"train.csv: {finding}": ["ISIC_04"]}


@pytest.mark.parametrize(("wrong", "n"), [("isic_ids", 1), ("patient", 1), ("Target", 1)])
def test_an_absent_column_is_named_and_the_nearest_suggested(right, wrong, n):
    name = {"isic_ids": "isic_id", "patient": "patient_id", "Target": "target"}[wrong]
    found = errors(right.rename(columns={name: wrong}))
    said = f"train.csv: must have a column {name!r}. Did you mean {wrong!r}?"
    assert found == {said: []}


def test_all_absent_columns_are_named():
    found = errors(pd.DataFrame({"x": [1]}))
    assert [line.split("'")[1] for line in found] == ["isic_id", "patient_id", "target"]


def test_a_table_without_lesions_is_refused(right):
    assert errors(right.iloc[:0]) == {"train.csv: must hold lesions": []}


# === Ranges ===

KNOWN = sorted(columns.NUMERIC)


def many(tmp_path, n: int = 40, **changes) -> pd.DataFrame:
    """A right table of more lesions, with columns changed."""
    return as_read(table(n, **{"age_approx": np.linspace(30, 60, n).round(1)} | changes), tmp_path)


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("end", ["low", "high"])
def test_what_a_column_cannot_hold_is_an_error_in_training_and_a_warning_in_test(
    tmp_path, name, end
):
    q = columns.NUMERIC[name]
    far = (q.high - q.low) / 100
    right, wrong = (q.low + far, q.low - far) if end == "low" else (q.high - far, q.high + far)
    lesions = as_read(table(**{name: [right] * 4 + [wrong] * 2}), tmp_path)
    said = f"train.csv: {name} must be {q}"
    assert errors(lesions) == {f"{said}. Got {wrong:.7g} first": ["ISIC_04", "ISIC_05"]}

    findings, _ = inspect(lesions, training=False)
    assert not findings.errors
    expected = f"{said}, else it counts as missing. Got {wrong:.7g} first"
    assert findings.warnings == {expected: ["ISIC_04", "ISIC_05"]}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("age_approx", -5),
        ("age_approx", 999),
        ("clin_size_long_diam_mm", -999),
        ("clin_size_long_diam_mm", 0),
        ("tbp_lv_areaMM2", 0),
        ("tbp_lv_L", -999),
        ("tbp_lv_eccentricity", 1.1),
        ("tbp_lv_nevi_confidence", -1),
    ],
)
def test_codes_for_missing_values_are_no_measurements(tmp_path, name, value):
    (finding,) = errors(as_read(table(**{name: [value] + [1.0] * 5}), tmp_path))
    assert f"{name} must be in" in finding
    assert f"Got {value} first" in finding


@pytest.mark.parametrize(
    ("name", "value"), [("age_approx", 0), ("tbp_lv_L", 0.0), ("tbp_lv_deltaB", -99.0)]
)
@pytest.mark.parametrize(("n_lesions", "named"), [(4, False), (5, True), (30, True)])
def test_a_common_value_where_no_other_lies_may_be_a_code(tmp_path, name, value, n_lesions, named):
    values = np.linspace(20, 60, 40)
    values[:n_lesions] = value
    findings, _ = inspect(many(tmp_path, **{name: values}))
    said = f"train.csv: {name} is {value:g} in {n_lesions / 40:.0%} of the rows"
    assert not findings.errors
    assert [what.startswith(said) for what in findings.warnings] == [True] * named
    assert [len(ids) for ids in findings.warnings.values()] == [n_lesions] * named


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("age_approx", [85] * 20 + list(range(0, 100, 5))),  # the oldest group
        ("tbp_lv_color_std_mean", [0.0] * 20 + list(range(1, 21))),  # too small to be measured
        ("tbp_lv_nevi_confidence", [100.0] * 20 + list(range(20))),
        ("tbp_lv_x", [0.0] * 20 + list(range(-10, 10))),  # within its range
        ("tbp_lv_y", [1.5] * 40),
    ],
)
def test_a_common_value_that_may_well_be_is_not_named(tmp_path, name, values):
    findings, _ = inspect(many(tmp_path, **{name: values}))
    assert not findings.errors
    assert not findings.warnings


# === Ids ===


@pytest.mark.parametrize("other", ["ip_123", "IP_0123", "IP_123.0", "IP_1 23", "Ip_123"])
def test_a_patient_in_two_spellings_is_an_error_that_names_both(tmp_path, other):
    patients = ["IP_123", other, "IP_9", "IP_123", "IP_8", "IP_7"]
    (finding,), (groups,) = zip(
        *errors(many(tmp_path, 6, patient_id=patients)).items(), strict=True
    )
    assert finding.startswith("train.csv: patient_id must be spelled in one way")
    assert groups == [" = ".join(map(repr, sorted(["IP_123", other])))]


def test_a_lesion_in_two_spellings_is_an_error_that_names_both(tmp_path):
    some = ["ISIC_00", "ISIC_1", "isic_1", "ISIC_3", "ISIC_4", "ISIC_5"]
    for training in (True, False):
        found = errors(many(tmp_path, 6, isic_id=some), training=training)
        assert list(found.values()) == [["'ISIC_1' = 'isic_1'"]]


def test_spaces_around_ids_do_not_count(tmp_path):
    plain = many(tmp_path, 6)
    spaced = many(
        tmp_path,
        6,
        isic_id=[f" ISIC_{i:02d}" for i in range(6)],
        patient_id=[f"IP_{i // 2}{' ' * (i % 2)}" for i in range(6)],
    )
    pd.testing.assert_frame_equal(spaced, plain)
    assert not errors(spaced)
