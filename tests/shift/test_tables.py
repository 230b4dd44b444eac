"""shift.tables: the columns that models read, whatever the size of the pieces."""

import json

import numpy as np
import pandas as pd
import pytest

from skinlesion.errors import InputError
from skinlesion.shift import tables


@pytest.fixture
def folder(tmp_path):
    plan = {"base": ["age", "size"], "categorical": ["sex"], "tile": ["tile_l"]}
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    ids = [f"ISIC_{i}" for i in range(7)]
    table = pd.DataFrame(
        {"isic_id": ids, "patient_id": "IP_1", "age": 40.0, "sex": "1", "site": "x"}
    )
    table.assign(size=np.arange(7)).to_csv(tmp_path / "test-metadata.csv", index=False)
    numbers = pd.DataFrame({"isic_id": ids[::-1], "tile_l": np.arange(7.0)[::-1], "other": 1.0})
    numbers[1:].to_parquet(tmp_path / "test.parquet", index=False)
    return tmp_path


def read(folder, names: tables.Names) -> pd.DataFrame:
    return tables.read(folder / "test-metadata.csv", folder / "test.parquet", names)


def test_the_columns_are_those_of_either_model_once(folder):
    names = tables.names(folder, ["age", "height"], ["site", "sex"])

    assert names == tables.Names(("age", "height", "size"), ("site", "sex"), ("tile_l",))


@pytest.mark.parametrize("n_at_a_time", [2, 100])
def test_numbers_of_the_tile_are_joined_by_isic_id(folder, monkeypatch, n_at_a_time):
    monkeypatch.setattr(tables, "AT_A_TIME", n_at_a_time)
    found = read(folder, tables.names(folder, ["age", "height"], ["site"]))

    assert set(found) == {"isic_id", "patient_id", "age", "size", "site", "sex", "tile_l"}
    assert found["tile_l"].tolist()[:6] == [0, 1, 2, 3, 4, 5]
    assert np.isnan(found["tile_l"][6])
    assert found["sex"].tolist() == ["1"] * 7


def test_what_is_absent_is_named(folder):
    names = tables.names(folder, [], [])
    (folder / "test.parquet").unlink()
    with pytest.raises(InputError, match=r"test\.parquet must be a table of stage derive"):
        read(folder, names)
    (folder / "plan.json").write_text("{}")
    with pytest.raises(InputError, match=r"plan\.json must be the plan of stage derive"):
        tables.names(folder, [], [])
