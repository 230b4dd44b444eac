"""dataset.metadata: a table is read as it is, in whatever shape it may come, or refused."""

import numpy as np
import pandas as pd
import pytest

from skinlesion.dataset import metadata
from skinlesion.errors import InputError

TABLE = "isic_id,patient_id,target,age_approx,sex\nISIC_1,IP_1,0,45,male\nISIC_2,IP_2,1,,female\n"


@pytest.fixture
def write(tmp_path):
    """Write the text or bytes of a metadata table; return its path."""

    def write(content: str | bytes):
        path = tmp_path / "train-metadata.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def readers(path):
    """Call each of the ways to read a table."""
    return {
        "header": lambda: metadata.header(path),
        "read": lambda: metadata.read(path),
        "chunks": lambda: list(metadata.chunks(path, columns=["isic_id"], n_lesions=1)),
    }


READERS = ["header", "read", "chunks"]


@pytest.mark.parametrize("reader", READERS)
def test_a_missing_file_is_named(tmp_path, reader):
    path = tmp_path / "train-metadata.csv"
    with pytest.raises(InputError, match=rf"{path} must be a metadata table\. There is no such"):
        readers(path)[reader]()


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("content", ["", "\n", "\ufeff"])
def test_an_empty_file_is_named(write, reader, content):
    path = write(content)
    with pytest.raises(InputError, match=rf"{path} must be a metadata table\. It is empty\."):
        readers(path)[reader]()


@pytest.mark.parametrize("reader", READERS)
def test_a_folder_is_no_table(tmp_path, reader):
    with pytest.raises(InputError, match=rf"{tmp_path} must be a CSV file in UTF-8\."):
        readers(tmp_path)[reader]()


@pytest.mark.parametrize("reader", READERS)
def test_a_header_in_another_encoding_is_named(write, reader):
    path = write("isic_id,größe\nISIC_1,1\n".encode("latin-1"))
    with pytest.raises(InputError, match=rf"{path} must be a CSV file in UTF-8\."):
        readers(path)[reader]()


@pytest.mark.parametrize("reader", ["read", "chunks"])
def test_a_row_in_another_encoding_is_named(write, reader):
    path = write(TABLE.replace("ISIC_2", "ISIC_ü").encode("latin-1"))
    with pytest.raises(InputError, match=rf"{path} must be a CSV file in UTF-8\."):
        readers(path)[reader]()


@pytest.mark.parametrize("reader", ["read", "chunks"])
@pytest.mark.parametrize("wrong", [TABLE + "ISIC_3,IP_3,0,1,male,1\n", TABLE + '"ISIC_3,IP_3'])
def test_a_malformed_row_is_named(write, reader, wrong):
    path = write(wrong)
    with pytest.raises(InputError, match=rf"{path} must be a CSV file in UTF-8\. .*(line 4|row 3)"):
        readers(path)[reader]()


@pytest.mark.parametrize("reader", ["read", "chunks"])
@pytest.mark.parametrize("end", [",", ",x"])
def test_rows_longer_than_the_header_are_refused_rather_than_shifted(write, reader, end):
    head, *rows = TABLE.splitlines()
    path = write("\n".join([head, *(row + end for row in rows)]))
    with pytest.raises(InputError, match=rf"{path} must name every column\. Got rows longer"):
        readers(path)[reader]()


@pytest.mark.parametrize("reader", READERS)
def test_a_column_named_twice_is_named(write, reader):
    path = write("isic_id,sex,age,sex\nISIC_1,male,1,male\n")
    with pytest.raises(InputError, match=rf"{path} must name each column once\. Got \['sex'\]"):
        readers(path)[reader]()


def test_an_absent_column_is_named_and_the_nearest_suggested(write):
    path = write(TABLE)
    said = rf"{path} must have a column 'age_aprox'\. Did you mean 'age_approx'\?"
    with pytest.raises(InputError, match=said):
        metadata.read(path, columns=["isic_id", "age_aprox"])
    with pytest.raises(InputError, match=said):
        list(metadata.chunks(path, columns=["isic_id", "age_aprox"], n_lesions=1))


def test_a_byte_order_mark_and_the_ends_of_lines_change_nothing(write):
    plain = metadata.read(write(TABLE))
    for changed in ("\ufeff" + TABLE, TABLE.replace("\n", "\r\n"), TABLE.rstrip("\n")):
        path = write(changed)
        assert metadata.header(path) == list(plain.columns)
        pd.testing.assert_frame_equal(metadata.read(path), plain)
        (piece,) = metadata.chunks(path, columns=list(plain.columns), n_lesions=9)
        pd.testing.assert_frame_equal(piece, plain)


def test_the_order_of_the_columns_does_not_change_their_values(write):
    plain = metadata.read(write(TABLE))
    turned = metadata.read(write(plain[plain.columns[::-1]].to_csv(index=False)))
    assert list(turned.columns) == list(plain.columns[::-1])
    pd.testing.assert_frame_equal(turned[plain.columns], plain)


def test_further_columns_are_read_too_and_change_no_other(write):
    plain = metadata.read(write(TABLE))
    wider = metadata.read(write(plain.assign(clinic=["a", "b"], n=[1, 2]).to_csv(index=False)))
    assert list(wider.columns) == [*plain.columns, "clinic", "n"]
    pd.testing.assert_frame_equal(wider[plain.columns], plain)


def test_only_the_columns_asked_for_are_read_in_the_order_of_the_file(write):
    lesions = metadata.read(write(TABLE), columns=["sex", "isic_id"])
    assert list(lesions.columns) == ["isic_id", "sex"]


@pytest.mark.parametrize("column", sorted(metadata.TEXT))
def test_a_text_column_stays_text_whatever_it_holds(write, column):
    path = write(f"{column},n\n007,1\n1.50,2\n1e3,3\n")
    assert metadata.read(path)[column].tolist() == ["007", "1.50", "1e3"]
    (piece,) = metadata.chunks(path, columns=[column], n_lesions=9)
    assert piece[column].tolist() == ["007", "1.50", "1e3"]


def test_a_further_column_is_text_on_demand(write):
    path = write("isic_id,grade\nISIC_1,01\nISIC_2,\n")
    assert metadata.read(path)["grade"].iloc[0] == 1
    asked = metadata.read(path, text=["grade"])["grade"]
    assert asked.iloc[0] == "01"
    assert asked.isna().tolist() == [False, True]
    pieces = metadata.chunks(path, columns=["grade"], text=["grade"], n_lesions=1)
    assert next(iter(pieces))["grade"].iloc[0] == "01"


def test_an_empty_cell_is_missing_in_numbers_and_in_texts(write):
    lesions = metadata.read(write(TABLE + "ISIC_3,,,,\n"))
    assert lesions.iloc[2].isna().tolist() == [False, True, True, True, True]


def test_a_table_without_lesions_has_its_columns(write):
    path = write(TABLE.splitlines()[0] + "\n")
    assert list(metadata.read(path).columns) == metadata.header(path)
    assert len(metadata.read(path)) == 0


@pytest.mark.parametrize("n_lesions", [1, 7, 100, 1000])
def test_the_pieces_put_together_are_the_table(write, n_lesions):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "isic_id": [f"ISIC_{i:03d}" for i in range(100)],
            "sex": rng.choice(["male", "female", None], 100),
            "age_approx": np.where(rng.random(100) < 0.2, np.nan, rng.integers(20, 80, 100)),
            "tbp_lv_A": rng.normal(size=100),
            "tbp_lv_B": np.full(100, np.nan),
        }
    )
    path = write(table.to_csv(index=False))
    columns = ["tbp_lv_B", "isic_id", "age_approx", "sex"]
    pieces = list(metadata.chunks(path, columns=columns, n_lesions=n_lesions))
    whole = metadata.read(path, columns=columns)

    assert max(map(len, pieces)) <= n_lesions
    pd.testing.assert_frame_equal(pd.concat(pieces), whole)


def test_numbers_written_by_pandas_come_back_the_same(write):
    values = np.random.default_rng(1).normal(size=200) * 10.0 ** np.arange(-100, 100)
    read = metadata.read(write(pd.DataFrame({"x": values}).to_csv(index=False)))["x"]
    np.testing.assert_allclose(read, values, rtol=1e-14)


def test_the_train_only_columns_are_the_eleven():
    assert len(set(metadata.TRAIN_ONLY)) == 11
    assert {"target", "lesion_id", "tbp_lv_dnn_lesion_confidence"} < set(metadata.TRAIN_ONLY)


def test_a_column_is_text_or_number_not_both():
    assert not set(metadata.TEXT) & set(metadata.NUMERIC)
    assert len(set(metadata.TEXT)) == len(metadata.TEXT)
    assert len(set(metadata.NUMERIC)) == len(metadata.NUMERIC)
    assert set(metadata.TRAIN_ONLY) <= {*metadata.TEXT, *metadata.NUMERIC, "target"}


def test_some_columns_are_as_in_the_whole_table_however_many_lesions_are_held(write, monkeypatch):
    rows = [f"ISIC_{i},{'' if i < 4 else i},{i},{'' if i < 5 else 'male'}" for i in range(11)]
    path = write("\n".join(["isic_id,age_approx,n,sex", *rows]) + "\n")
    whole = metadata.read(path)
    monkeypatch.setattr(metadata, "N_AT_A_TIME", 3)
    some = metadata.read(path, columns=["sex", "n", "age_approx"])
    pd.testing.assert_frame_equal(some, whole[["age_approx", "n", "sex"]])
    empty = write("isic_id,n\n")
    assert list(metadata.read(empty, columns=["isic_id"]).columns) == ["isic_id"]
