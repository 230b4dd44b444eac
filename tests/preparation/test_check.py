"""preparation.check: all that is wrong with a challenge folder is said at once, by isic_id."""

import json

import numpy as np
import pandas as pd
import pytest
from tests.checking import TILE, Memory, as_read, encoded, errors, inspect, table

from skinlesion.dataset import metadata, stores
from skinlesion.errors import InputError
from skinlesion.preparation import check


@pytest.fixture
def right(tmp_path):
    return as_read(table(), tmp_path)


# === What is right ===


@pytest.mark.parametrize("training", [True, False])
def test_a_right_folder_has_no_findings(right, training):
    findings, sizes = inspect(right, training=training)
    assert not findings.errors
    assert not findings.warnings
    assert sizes.width_px.tolist() == sizes.height_px.tolist() == [20] * 6
    findings.require_none()


def test_a_drawn_folder_has_no_findings(challenge):
    for half, training in (("train", True), ("test", False)):
        findings = check.Findings()
        store = stores.open_store(challenge / f"{half}-image.hdf5")
        lesions = metadata.read(challenge / f"{half}-metadata.csv")
        check.inspect(
            check.Part(lesions, half, store, half, training=training),
            findings,
            check.Look(progress=lambda tiles, **_: tiles),
        )
        assert not findings.errors
        assert not findings.warnings


@pytest.mark.parametrize(
    "change",
    [
        lambda lesions: lesions[lesions.columns[::-1]],
        lambda lesions: lesions.assign(clinic="a", n=[1, 2, 3, 4, 5, np.inf]),
        lambda lesions: lesions.assign(age_approx=np.nan, sex=None, tbp_lv_A=np.nan),
        lambda lesions: lesions.drop(columns=["age_approx", "sex"]),
        lambda lesions: lesions.assign(target=lesions["target"].astype(float)),
        lambda lesions: lesions.assign(patient_id="IP_1"),
        lambda lesions: lesions.assign(age_approx=["1", None, "2.5", "1e2", "4", "0"]),
        lambda lesions: lesions.sample(frac=1, random_state=0),
    ],
    ids=[
        "columns in another order",
        "further columns",
        "columns without a value",
        "columns absent",
        "targets 0.0 and 1.0",
        "one patient",
        "numbers with gaps",
        "rows in another order",
    ],
)
def test_what_is_only_unusual_is_accepted(right, tmp_path, change):
    findings, _ = inspect(as_read(change(right), tmp_path))
    assert not findings.errors
    assert not findings.warnings


def test_a_test_table_needs_no_patient_and_no_target(right):
    assert not errors(right[["isic_id"]], training=False)


def test_lesions_of_one_patient_may_be_in_both_halves(right):
    findings, _ = inspect(right)
    later = right.assign(isic_id=right["isic_id"] + "T").drop(columns="target")
    inspect(later, training=False, findings=findings)
    assert not findings.errors
    assert not findings.warnings


# === All at once ===


def test_all_findings_of_both_halves_are_in_one_message(tmp_path):
    train = table(30, patient_id=["IP_1"] * 29 + [None])
    train.loc[[3, 4], "target"] = 2
    train.loc[12:, "age_approx"] = np.inf
    findings, _ = inspect(as_read(train, tmp_path), {})
    inspect(table(3, isic_id=["a", "a", "b"]), training=False, findings=findings)
    with pytest.raises(InputError) as refused:
        findings.require_none()

    head, *lines = str(refused.value).splitlines()
    assert head == "check: the data must be whole. Found:"
    assert sorted(lines) == sorted(
        [
            "  train.csv: patient_id must not be missing (1): ISIC_29",
            "  train.csv: target must be 0 or 1. Got 2 first (2): ISIC_03, ISIC_04",
            "  train.csv: age_approx must be a finite number. Got inf first (18): "
            + ", ".join(f"ISIC_{i}" for i in range(12, 22))
            + " ...",
            "  train.hdf5: it has no tile in memory. (30): "
            + ", ".join(f"ISIC_{i:02d}" for i in range(10))
            + " ...",
            "  train.hdf5: most lesions of train.csv have no tile in it. It holds none. (30): "
            + ", ".join(f"ISIC_{i:02d}" for i in range(10))
            + " ...",
            "  train.csv: isic_id must not occur twice (2): a, a",
        ]
    )


# === Exclusion ===


def test_excluded_lesions_are_left_out_and_no_others(right):
    findings = check.Findings()
    left = check.leave_out(right, ["ISIC_01", "ISIC_04"], findings)
    assert left["isic_id"].tolist() == ["ISIC_00", "ISIC_02", "ISIC_03", "ISIC_05"]
    assert not findings.errors
    pd.testing.assert_frame_equal(check.leave_out(right, [], findings), right)


def test_an_excluded_lesion_that_does_not_exist_is_an_error(right):
    findings = check.Findings()
    left = check.leave_out(right, ["ISIC_77", "ISIC_01", "ISIC_66"], findings)
    assert len(left) == 5
    expected = "data.exclude: it must name lesions of the training table"
    assert findings.errors == {expected: ["ISIC_66", "ISIC_77"]}


def test_what_is_wrong_with_an_excluded_lesion_does_not_matter(right):
    wrong = right.assign(target=[0, 7, 1, 0, 0, 0])
    tiles = dict.fromkeys(right["isic_id"], TILE) | {"ISIC_01": b""}
    findings = check.Findings()
    left = check.leave_out(wrong, ["ISIC_01"], findings)
    inspect(left, tiles, findings=findings, known=["ISIC_01"])
    assert not findings.errors
    assert not findings.warnings


def test_after_an_exclusion_findings_still_name_the_right_lesions(tmp_path):
    wrong = table(isic_id=["ISIC_00", "ISIC_01", "ISIC_02", None, "ISIC_04", "ISIC_05"])
    wrong["target"] = [0, 1, 2, 0, 0, 2]
    findings = check.Findings()
    left = check.leave_out(as_read(wrong, tmp_path), ["ISIC_00", "ISIC_01"], findings)
    found = errors(left, findings=findings)
    assert found["train.csv: target must be 0 or 1. Got 2 first"] == ["ISIC_02", "ISIC_05"]
    assert found["train.csv: isic_id must not be missing"] == ["row 5"]


def test_a_table_without_isic_id_cannot_be_excluded_from_and_is_refused_later(right):
    findings = check.Findings()
    nameless = right.drop(columns="isic_id")
    assert check.leave_out(nameless, ["ISIC_01"], findings) is nameless


# === Counts ===


def test_the_counts_are_those_of_the_table_and_its_tiles(tmp_path):
    lesions = table(
        6, patient_id=["a", "a", "a", "b", "b", "c"], age_approx=[1, None, None, 4, 5, 6]
    )
    sizes = [(20, 20), (30, 30), (40, 20), (25, 25), (61, 61), (239, 239)]
    tiles = {f"ISIC_{i:02d}": encoded(*size) for i, size in enumerate(sizes)}
    lesions = as_read(lesions, tmp_path)
    findings, measured = inspect(lesions, tiles)
    assert not findings.errors
    found = check.counts(lesions, measured)
    assert found == {
        "n_lesions": 6,
        "n_patients": 3,
        "lesions_per_patient": {"min": 1, "median": 2.0, "max": 3},
        "n_positives": 1,
        "prevalence": pytest.approx(1 / 6),
        "missing": {"age_approx": 2},
        "tile_px": {"min": 20, "median": 35.0, "max": 239, "n_not_square": 1},
    }
    assert json.loads(json.dumps(found)) == found


def test_what_a_test_table_lacks_is_not_counted(right):
    lesions = right[["isic_id"]]
    _, sizes = inspect(lesions, {}, training=False)
    expected = {"n_lesions": 6, "missing": {}, "tile_px": {"n_not_square": 0}}
    assert check.counts(lesions, sizes) == expected


def test_lesions_are_counted_by_licence_and_by_attribution(right):
    _, sizes = inspect(right, {}, training=False)
    lesions = right.assign(
        copyright_license=["CC-0", "CC-BY", "CC-BY", None, "CC-0", "CC-0"], attribution="A clinic"
    )
    found = check.counts(lesions, sizes)
    assert found["licences"] == {"CC-0": 3, "CC-BY": 2, "none given": 1}
    assert found["attributions"] == {"A clinic": 6}


# === What is handed on ===


@pytest.mark.parametrize("kind", [int, float])
def test_targets_are_integers_however_they_are_written(tmp_path, kind):
    lesions = table()
    lesions["target"] = lesions["target"].astype(kind)
    part = check.Part(as_read(lesions, tmp_path), "train.csv", Memory({}), "t.hdf5", training=True)
    kept = check.lesions(part)
    assert kept.to_csv(index=False).splitlines()[:3] == [
        "isic_id,patient_id,target",
        "ISIC_00,IP_0,0",
        "ISIC_01,IP_0,1",
    ]
    said = check.summary({"train": part, "test": part}, check.Findings())
    assert said == "check: 6 lesions of 3 patients, 1 positives; 6 to score"
