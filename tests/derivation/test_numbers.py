"""derivation.numbers: the numbers of a plan, alike alone and among others."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from skinlesion.dataset import metadata
from skinlesion.derivation import numbers, parquet, plan
from skinlesion.errors import InputError

P = plan.Params(
    base="all",
    derived="all",
    tile=["colour"],
    categorical="all",
    relative=plan.Relative(
        patient=["z", "rank", "position", "count", "area", "outlying"],
        patient_site=["outlying"],
        patient_location=["area"],
    ),
    min_lesions=3,
)


@pytest.fixture(scope="module")
def lesions(challenge) -> pd.DataFrame:
    table = metadata.read(challenge / "train-metadata.csv", columns=numbers.columns(P))
    table.loc[::7, "tbp_lv_H"] = np.nan
    table.loc[3, "tbp_lv_perimeterMM"] = 0.0
    return table


@pytest.fixture(scope="module")
def chosen(lesions) -> plan.Plan:
    return plan.make(P, lesions, lesions)


def tiles(lesions: pd.DataFrame, chosen: plan.Plan) -> dict[str, np.ndarray]:
    number = lesions["isic_id"].str[5:].astype(int).to_numpy()
    return {name: np.sin(number + i) for i, name in enumerate(chosen.tile)}


def computed(lesions: pd.DataFrame, chosen: plan.Plan) -> pd.DataFrame:
    found = numbers.compute(lesions, chosen, P, tiles=tiles(lesions, chosen))
    return pd.DataFrame(found, index=lesions["isic_id"])


def test_there_is_a_column_for_each_number_of_the_plan_and_none_is_infinite(lesions, chosen):
    found = computed(lesions, chosen)
    assert list(found) == [*chosen.numbers, *chosen.relative]
    assert set(found.dtypes) == {np.dtype(np.float32)}
    assert not np.isinf(found).any().any()


def test_a_patient_scored_alone_gets_the_bits_it_gets_among_others(lesions, chosen):
    whole = computed(lesions, chosen)
    for _, own in lesions.groupby("patient_id"):
        alone = computed(own.reset_index(drop=True), chosen)
        pd.testing.assert_frame_equal(alone, whole.loc[own["isic_id"]], check_exact=True)


def test_the_order_of_the_rows_changes_no_bit(lesions, chosen):
    turned = lesions.sample(frac=1, random_state=0).reset_index(drop=True)
    expected = computed(lesions, chosen).loc[turned["isic_id"]]
    pd.testing.assert_frame_equal(computed(turned, chosen), expected, check_exact=True)


def test_a_single_lesion_has_its_own_numbers_and_none_relative_to_others(lesions, chosen):
    whole = computed(lesions, chosen)
    for row in (0, 3, 7):
        alone = computed(lesions.iloc[[row]].reset_index(drop=True), chosen)
        own = whole.iloc[[row]][chosen.numbers]
        pd.testing.assert_frame_equal(alone[chosen.numbers], own, check_exact=True)
        assert alone[chosen.relative].isna().all().all()


def test_a_table_without_patients_is_of_single_lesions(lesions, chosen):
    found = computed(lesions.drop(columns="patient_id"), chosen)
    assert found[chosen.relative].isna().all().all()
    assert found["tbp_lv_L"].notna().all()


def test_counts_and_areas_are_those_of_the_patient(lesions, chosen):
    found = computed(lesions, chosen)
    by_patient = lesions.set_index("isic_id").groupby("patient_id")
    n = by_patient["tbp_lv_areaMM2"].transform("size")
    area = by_patient["tbp_lv_areaMM2"].transform("sum")
    np.testing.assert_array_equal(found["n_lesions|patient"], n.where(n >= 3))
    np.testing.assert_allclose(found["total_area|patient"], area.where(n >= 3), rtol=1e-6)


def test_a_missing_column_of_the_plan_is_an_error_that_names_it(lesions, chosen):
    renamed = lesions.rename(columns={"tbp_lv_H": "tbp_lv_h"})
    with pytest.raises(InputError, match=r"column 'tbp_lv_H'\. Did you mean"):
        numbers.compute(renamed, chosen, P)


def test_a_value_that_a_column_cannot_have_is_missing(lesions, chosen):
    """As for the network; it may be only the test half that has one."""
    impossible, missing = lesions.copy(), lesions.copy()
    impossible.loc[:5, "age_approx"], missing.loc[:5, "age_approx"] = 999.0, np.nan
    impossible.loc[2, "clin_size_long_diam_mm"] = -999.0
    missing.loc[2, "clin_size_long_diam_mm"] = np.nan
    pd.testing.assert_frame_equal(
        computed(impossible, chosen), computed(missing, chosen), check_exact=True
    )


def test_without_tiles_their_numbers_are_missing(lesions, chosen):
    found = numbers.compute(lesions, chosen, P)
    assert all(np.isnan(found[name]).all() for name in chosen.tile)


def test_what_is_written_can_be_read_and_has_the_same_bytes_each_time(lesions, chosen, tmp_path):
    found = numbers.compute(lesions, chosen, P)
    for name in ("a", "b"):
        parquet.write(tmp_path / name, lesions, found, chosen)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    table = pq.read_table(tmp_path / "a").to_pandas()
    assert table["isic_id"].tolist() == lesions["isic_id"].tolist()
    np.testing.assert_array_equal(table["tbp_lv_H|z|patient"], found["tbp_lv_H|z|patient"])
    assert table["sex"].isna().tolist() == lesions["sex"].isna().tolist()


def test_no_label_is_among_the_columns_that_are_read():
    assert not set(numbers.columns(P)) & set(metadata.TRAIN_ONLY)
