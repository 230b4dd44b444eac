"""evaluation.subgroups: every lesion in one group of each attribute, and too few said so."""

import numpy as np
import pandas as pd
import pytest
from tests.resampling import drawn
from tests.resampling import lesions as scored

from skinlesion import metrics
from skinlesion.evaluation import subgroups

SEEDS = pytest.mark.parametrize("seed", range(4))


def lesions(seed: int = 0, n: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return scored(seed, n=n).assign(
        sex=rng.choice(["female", "male", None], n),
        age_approx=rng.choice([25.0, 30.0, 59.0, 60.0, 85.0, np.nan], n),
        anatom_site_general=rng.choice(["head/neck", "torso"], n),
        tbp_tile_type=rng.choice(["3D: XP", "3D: white"], n),
        attribution="A clinic",
        clin_size_long_diam_mm=rng.choice([1.0, 3.0, 5.9, 6.0], n),
        tbp_lv_Lext=rng.uniform(20, 80, n),
        tbp_lv_Bext=rng.uniform(5, 30, n),
    )


def measured(table: pd.DataFrame, **changes) -> pd.DataFrame:
    options = {"threshold": 0.1, "min_positives": 10} | changes
    return pd.DataFrame(subgroups.measures(table, drawn(table), **options))


@SEEDS
def test_every_lesion_is_in_one_group_of_each_attribute(seed):
    found = measured(lesions(seed))
    assert set(found["attribute"]) == set(subgroups.ATTRIBUTES)
    for _, rows in found.groupby("attribute"):
        assert rows["n_lesions"].sum() == 400
        assert rows["n_positives"].sum() == lesions(seed)["target"].sum()


@pytest.mark.parametrize(
    ("attribute", "column", "expected"),
    [
        (
            "age",
            "age_approx",
            {
                25: "under 30",
                30: "30 to 44",
                45: "45 to 59",
                74.9: "60 to 74",
                75: "75 and over",
                np.nan: "missing",
            },
        ),
        (
            "diameter",
            "clin_size_long_diam_mm",
            {2.9: "under 3 mm", 3: "3 to 6 mm", 6: "6 mm and over", np.nan: "missing"},
        ),
        ("sex", "sex", {"male": "male", None: "missing", "missing": "missing"}),
    ],
)
def test_a_value_belongs_to_its_band(attribute, column, expected):
    table = pd.DataFrame({"patient_id": "IP_1", column: list(expected)})
    found = subgroups.groups(table)
    assert found[attribute].tolist() == list(expected.values())
    assert found[attribute].cat.categories[-1] == "missing"


@pytest.mark.parametrize(
    ("n", "expected"), [(1, "1 to 9"), (9, "1 to 9"), (10, "10 to 99"), (300, "300 and more")]
)
def test_a_patients_lesions_are_counted(n, expected):
    table = pd.DataFrame({"patient_id": ["IP_1"] * n})
    assert set(subgroups.groups(table)["lesions per patient"]) == {expected}


@pytest.mark.parametrize(
    ("lightness", "yellow", "expected"),
    [
        (80, 15, "over 55 degrees"),  # atan(30 / 15) = 63
        (65, 15, "41 to 55 degrees"),  # 45
        (50, 15, "-30 to 10 degrees"),  # 0
        (20, 15, "under -30 degrees"),  # -63
        (np.nan, 15, "missing"),
    ],
)
def test_the_measured_background_lightness_is_the_typology_angle(lightness, yellow, expected):
    table = pd.DataFrame({"patient_id": ["a"], "tbp_lv_Lext": [lightness], "tbp_lv_Bext": [yellow]})
    assert subgroups.groups(table)["measured background lightness"].tolist() == [expected]


def test_no_group_is_called_a_skin_type():
    words = " ".join(subgroups.ATTRIBUTES) + " ".join(subgroups.ANGLES.values())
    assert "skin" not in words
    assert "type" not in words


def test_attributes_whose_columns_are_absent_are_named():
    table = lesions()[["patient_id", "sex", "tbp_lv_Lext"]]
    found, absent = subgroups.groups(table), subgroups.absent(table)
    assert list(found) == ["sex", "lesions per patient"]
    assert set(absent) == set(subgroups.ATTRIBUTES) - set(found)


def test_rare_names_are_one_group():
    names = [f"clinic {i:02d}" for i in range(30) for _ in range(30 - i)]
    table = pd.DataFrame({"patient_id": "IP_1", "attribution": names})
    found = subgroups.groups(table)["attribution"].value_counts()
    assert (found > 0).sum() == subgroups.MAX_GROUPS + 1
    assert found["clinic 00"] == 30
    assert found["all others"] == sum(range(1, 19))


@SEEDS
def test_a_group_is_measured_as_its_lesions_alone_would_be(seed):
    table = lesions(seed)
    found = measured(table).set_index(["attribute", "group"]).loc[("site", "torso")]
    members = table[table["anatom_site_general"] == "torso"]
    auc = metrics.auc(members["target"], members["score"])
    positives = members[members["target"] == 1]
    assert found["auc"]["value"] == pytest.approx(auc, abs=1e-6)
    assert found["sensitivity"]["value"] == pytest.approx(
        (positives["score"] >= 0.1).mean(), abs=1e-6
    )
    assert found["n_patients"] == members["patient_id"].nunique()


def test_a_group_with_too_few_positives_is_said_to_be():
    found = measured(lesions(), min_positives=20)
    few = found[found["n_positives"] < 20]
    assert len(few)
    assert few["too_few"].all()
    assert not found.loc[found["n_positives"] >= 20, "too_few"].any()
    for _, row in few.iterrows():
        assert row["auc"]["value"] is row["sensitivity"]["value"] is None
        assert row["specificity"]["value"] is not None


def test_a_group_whose_positives_are_of_few_patients_is_too_few():
    table = lesions()
    few = table.loc[table["target"] == 1, "patient_id"].unique()[: subgroups.MIN_PATIENTS - 1]
    table["sex"] = np.where(table["patient_id"].isin(few), "female", "male")
    found = measured(table, min_positives=1).set_index("group")
    assert found.loc["female", "n_positives"] >= subgroups.MIN_PATIENTS - 1
    assert found.loc["female", "too_few"]
    assert not found.loc["male", "too_few"]


def test_a_group_that_is_called_as_the_rest_is_among_the_rest():
    table = pd.DataFrame({"patient_id": "IP_1", "sex": ["all others", "female", "missing"]})
    assert subgroups.groups(table)["sex"].tolist() == ["all others", "female", "missing"]


def test_a_group_of_positives_alone_has_no_auc():
    table = lesions()
    table["sex"] = np.where(table["target"] == 1, "female", "male")
    found = measured(table).set_index("group")
    assert found.loc["female", "auc"]["value"] is None
    assert found.loc["female", "sensitivity"]["value"] is not None
