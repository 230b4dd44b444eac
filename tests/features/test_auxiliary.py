"""features.auxiliary: what only training lesions know becomes targets, with gaps as NaN."""

import numpy as np
import pandas as pd
import pytest

from skinlesion.dataset import columns
from skinlesion.features import auxiliary

FULL = [
    "Benign",
    "Malignant::Malignant melanocytic proliferations (Melanoma)::Melanoma in situ",
    "Malignant::Malignant adnexal epithelial proliferations - Follicular::Basal cell carcinoma",
    "Malignant::Malignant epidermal proliferations::Squamous cell carcinoma, Invasive",
    "Indeterminate::Indeterminate epidermal proliferations::Solar or actinic keratosis",
    None,
]
LESIONS = pd.DataFrame(
    {
        "isic_id": [f"ISIC_{i:07d}" for i in range(6)],
        "iddx_full": FULL,
        "lesion_id": [None, "IL_1", "IL_2", None, "IL_3", None],
        "tbp_lv_H": [1.0, 2.0, 3.0, np.nan, 1e6, -1e6],
        "tbp_lv_L": [50.0] * 6,
    }
)
TRAINING = np.array([True, True, True, True, False, False])


@pytest.fixture(scope="module")
def targets():
    return auxiliary.table(LESIONS, TRAINING).set_index("isic_id")


def test_each_lesion_of_a_known_diagnosis_has_one_class(targets):
    classes = targets.filter(like="diagnosis:")
    assert classes.columns.str.partition(":").get_level_values(2).tolist() == [
        "benign",
        "melanoma",
        "basal",
        "squamous",
        "other",
    ]
    np.testing.assert_array_equal(classes[:5], np.eye(5))
    assert classes[5:].isna().all(axis=None)


def test_a_lesion_with_an_id_was_biopsied(targets):
    assert targets["biopsied"].tolist() == [0, 1, 1, 0, 1, 0]


def test_measurements_are_scaled_by_training_lesions_alone(targets):
    scaled = targets["measurements:tbp_lv_H"]
    assert scaled[:3].mean() == pytest.approx(0, abs=1e-6)
    assert scaled[:3].std(ddof=0) == pytest.approx(1, abs=1e-6)
    assert np.isnan(scaled.iloc[3])
    assert scaled.iloc[4] == pytest.approx((1e6 - 2) / np.std([1, 2, 3]), rel=1e-5)


def test_what_never_varies_or_is_absent_is_no_target(targets):
    assert "measurements:tbp_lv_L" not in targets
    bare = auxiliary.table(LESIONS[["isic_id", "tbp_lv_H"]], TRAINING)
    assert bare.columns.tolist() == ["isic_id", "measurements:tbp_lv_H"]


def test_only_columns_of_the_table_are_asked_for():
    asked = auxiliary.columns(["isic_id", "tbp_lv_H", "tbp_lv_x", "age_approx", "iddx_full"])
    assert asked == ["iddx_full", "tbp_lv_H"]
    assert not set(auxiliary.MEASUREMENTS) & {"target", *columns.TRAIN_ONLY}
