"""boosting.matrix: rows of numbers and codes, whatever the order of the file."""

import numpy as np
import pandas as pd
import pytest
from tests import boost_numbers

from skinlesion.boosting import matrix
from skinlesion.boosting.columns import Columns, choose
from skinlesion.derivation import plan
from skinlesion.errors import InputError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("numbers")
    boost_numbers.write(folder)
    return folder


def chosen(folder, inputs=("table", "tile")) -> Columns:
    return choose(plan.load(folder), inputs)


def test_categories_are_those_of_the_lesions_given(folder):
    columns, train = chosen(folder), folder / "train.parquet"
    ids = pd.read_parquet(train, columns=["isic_id", "sex"])
    women = pd.Index(ids.loc[ids["sex"] == "female", "isic_id"])
    assert matrix.vocabulary(train, columns, women) == {"sex": ["female"]}
    assert matrix.vocabulary(train, columns, pd.Index(ids["isic_id"])) == {
        "sex": ["female", "male"]
    }


def test_a_category_that_is_missing_or_unseen_is_no_number(folder):
    ids = pd.read_parquet(folder / "train.parquet", columns=["isic_id", "sex"]).set_index("isic_id")
    read = matrix.read(folder / "train.parquet", chosen(folder), {"sex": ["female"]}, ids.index)
    codes = pd.Series(read.values[:, 2], read.isic_ids)
    assert codes.dropna().eq(0).all()
    assert codes.notna().equals(ids["sex"].loc[read.isic_ids].eq("female"))


def test_a_category_is_the_same_however_a_table_writes_it(folder, tmp_path):
    table = pd.read_parquet(folder / "train.parquet")
    spelled = np.where(table.index % 3, table["sex"], table["sex"].str.upper() + " ")
    table.assign(sex=spelled).to_parquet(tmp_path / "train.parquet")
    columns, ids = chosen(folder), pd.Index(table["isic_id"])
    paths = [where / "train.parquet" for where in (folder, tmp_path)]
    one, other = (matrix.vocabulary(path, columns, ids) for path in paths)
    assert one == other == {"sex": ["female", "male"]}
    one, other = (matrix.read(path, columns, one, ids).values for path in paths)
    np.testing.assert_array_equal(one, other)


def test_rows_are_in_the_order_asked_for(folder):
    table = pd.read_parquet(folder / "train.parquet").set_index("isic_id")
    some = table.index[100:140].sort_values(ascending=False)
    read = matrix.read(folder / "train.parquet", chosen(folder), {"sex": []}, some)
    assert read.isic_ids.tolist() == some.tolist()
    np.testing.assert_array_equal(read.values[:, 0], table.loc[some, "tbp_lv_H"])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: (f / "train.parquet").write_text("x"), r"must be a table of stage derive"),
        (lambda f: (f / "train.parquet").unlink(), r"must be a table of stage derive"),
        (lambda f: (f / "plan.json").write_text("{}"), r"must be the plan of stage derive"),
    ],
)
def test_what_is_malformed_is_named(tmp_path, spoil, said):
    boost_numbers.write(tmp_path, n=60)
    ids = pd.Index(["ISIC_0000003"])
    spoil(tmp_path)
    with pytest.raises(InputError, match=said):
        matrix.read(tmp_path / "train.parquet", chosen(tmp_path), {"sex": []}, ids)


def test_a_lesion_that_the_table_lacks_is_named(folder):
    with pytest.raises(InputError, match="ISIC_9 is absent"):
        matrix.read(folder / "train.parquet", chosen(folder), {"sex": []}, pd.Index(["ISIC_9"]))


def test_a_column_that_the_table_lacks_is_named(folder):
    columns = Columns(["tbp_lv_H", "new"], [], [])
    with pytest.raises(InputError, match=r"must have a column 'new': dvc repro derive boost"):
        next(matrix.pieces(folder / "train.parquet", columns, {}))
