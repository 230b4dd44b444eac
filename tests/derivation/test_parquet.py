"""derivation.parquet: what is written is read back, and the same arguments give the same bytes."""

import numpy as np
import pandas as pd

from skinlesion.derivation import parquet, plan

PLAN = plan.Plan(
    base=["tbp_lv_H"], derived=[], tile=[], relative=[], categorical=["sex"], left_out=[]
)
LESIONS = pd.DataFrame({"isic_id": ["A", "B", "C"], "sex": ["male", None, "female"]})
FOUND = {"tbp_lv_H": np.array([1.5, np.nan, 3.0], np.float32)}


def test_numbers_and_categories_come_back(tmp_path):
    parquet.write(tmp_path / "a.parquet", LESIONS, FOUND, PLAN)
    found = pd.read_parquet(tmp_path / "a.parquet")

    assert found["isic_id"].tolist() == ["A", "B", "C"]
    np.testing.assert_array_equal(found["tbp_lv_H"], FOUND["tbp_lv_H"])
    assert found["sex"].isna().tolist() == [False, True, False]


def test_the_same_arguments_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        parquet.write(tmp_path / name, LESIONS, FOUND, PLAN)

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
