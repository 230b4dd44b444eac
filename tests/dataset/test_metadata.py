"""dataset.metadata: a table is read as it is, in whatever shape it may come, or refused."""

import gzip

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
@pytest.mark.parametrize(
    "content", ["", "\n", "\r\r", "  ", " \n\t\n", ",,\n,,\n", '""', "\ufeff", "\ufeff\n \n\n"]
)
def test_an_empty_file_is_named(write, reader, content):
    path = write(content)
    with pytest.raises(InputError, match=rf"{path} must be a metadata table\. It is empty\."):
        readers(path)[reader]()


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("rest", ["", "\n\n", "\ufeff", TABLE])
def test_several_byte_order_marks_are_told(write, reader, rest):
    path = write("\ufeff\ufeff" + rest)
    said = rf"{path} must be a CSV .* It is text with more than one byte-order mark\."
    with pytest.raises(InputError, match=said):
        readers(path)[reader]()


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_a_mark_of_utf_16_alone_is_told(write, reader, mark):
    with pytest.raises(InputError, match=r"It is text in UTF-16\."):
        readers(write(mark))[reader]()


@pytest.mark.parametrize("start", ["", "\ufeff", "\n\n", "  \n\t\n", "\ufeff \n"])
def test_a_header_alone_is_a_table_without_lesions(write, start):
    read = metadata.read(write(start + "isic_id,target\n\n"))
    assert (list(read), len(read)) == (["isic_id", "target"], 0)


@pytest.mark.parametrize("reader", ["read", "chunks"])
@pytest.mark.parametrize("first", [",,,,", "\u00a0", '""', '" "'])
def test_names_that_do_not_come_first_are_told(write, reader, first):
    """pandas takes such a line for the header, and the names for a lesion."""
    path = write(f"{first}\n{TABLE}")
    said = rf"{path} must (begin with the names of its columns|have as many fields)"
    with pytest.raises(InputError, match=said):
        readers(path)[reader]()


def test_a_column_without_a_name_is_read(write):
    """As a table that pandas wrote with its index has."""
    path = write("," + TABLE.replace("\n", "\n0,", 2))
    assert metadata.read(path)["isic_id"].tolist() == ["ISIC_1", "ISIC_2"]


@pytest.mark.parametrize("reader", READERS)
def test_a_folder_is_no_table(tmp_path, reader):
    with pytest.raises(InputError, match=rf"{tmp_path} must be a CSV file in UTF-8\."):
        readers(tmp_path)[reader]()


@pytest.mark.parametrize("reader", READERS)
def test_a_header_in_another_encoding_is_shown_with_its_name(write, reader):
    path = write("isic_id,größe\nISIC_1,1\n".encode("cp1252"))
    said = rf"{path} must be a CSV file in UTF-8\. Line 1 reads 'isic_id,größe' in cp1252"
    with pytest.raises(InputError, match=said):
        readers(path)[reader]()


@pytest.mark.parametrize("reader", ["read", "chunks"])
@pytest.mark.parametrize("n_before", [0, 100_000])
def test_a_row_in_another_encoding_is_shown_with_its_line(write, reader, n_before):
    before = "".join(f"ISIC_{i},IP_1,0,45,male\n" for i in range(n_before))
    path = write((TABLE + before + "ISIC_ü,IP_3,0,1,male\n").encode("cp1252"))
    said = rf"{path} must be .* Line {4 + n_before} reads 'ISIC_ü,IP_3,0,1,male' in cp1252"
    with pytest.raises(InputError, match=said):
        readers(path)[reader]()


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("content", "kind"),
    [
        *((TABLE.encode(e), "text in UTF-16") for e in ("utf-16", "utf-16-le", "utf-16-be")),
        (TABLE.encode("utf-32"), "text in UTF-32"),
        (gzip.compress(TABLE.encode(), mtime=0), "a gzip archive"),
        (b"PK\x03\x04" + bytes(30), "a zip archive"),
        (b"PAR1" + bytes(30), "a Parquet file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "a Git LFS pointer"),
        (b"\n<!DOCTYPE html><html><body>Sign in</body></html>", "a web page"),
    ],
)
def test_a_file_of_another_kind_is_named(write, reader, content, kind):
    path = write(content)
    said = rf"{path} must be a CSV file in UTF-8\. It is {kind}"
    with pytest.raises(InputError, match=said):
        readers(path)[reader]()


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("mark", "name"), [("\t", "tabs"), (";", "semicolons"), ("|", "vertical bars")]
)
def test_another_separator_is_named(write, reader, mark, name):
    path = write(TABLE.replace(",", mark))
    said = rf"{path} must have columns separated by commas\. They seem to be separated by {name}"
    with pytest.raises(InputError, match=said):
        readers(path)[reader]()


ROW = "ISIC_3,IP_3,0,60,male"


@pytest.mark.parametrize("reader", ["read", "chunks"])
@pytest.mark.parametrize("n_before", [0, 60_000])
@pytest.mark.parametrize(
    ("row", "n"),
    [(ROW + ",1", 6), (ROW + ",", 6), ("ISIC_3,IP_3,0,60", 4), ("ISIC_3,IP", 2), ("ISIC", 1)],
)
@pytest.mark.parametrize("after", ["", "\n", "\nISIC_4,IP_4,0,60,male\n"])
def test_a_row_that_is_not_whole_is_shown_with_its_line(write, reader, n_before, row, n, after):
    before = "".join(f"ISIC_A{i},IP_1,0,45,male\n" for i in range(n_before))
    path = write(TABLE + before + row + after)
    said = rf"{path} must have as many fields in each row as in its header, 5\. "
    with pytest.raises(InputError, match=rf"{said}Line {4 + n_before} has {n}: '{row}'$"):
        readers(path)[reader]()


@pytest.mark.parametrize("reader", ["read", "chunks"])
def test_lines_are_counted_as_an_editor_does_also_after_a_field_of_several_lines(write, reader):
    path = write(TABLE + 'ISIC_3,IP_3,0,1,"ma\nle"\nISIC_4\n')
    with pytest.raises(InputError, match=r"Line 6 has 1: 'ISIC_4'"):
        readers(path)[reader]()


@pytest.mark.parametrize("reader", ["read", "chunks"])
@pytest.mark.parametrize(
    "row", ['"ISIC_3,IP_3', '"ISIC_3,IP_3\nISIC_4,IP_4,0,1,male\n', 'a,b,c,d,"e']
)
def test_a_quote_that_is_never_closed_is_refused_by_its_line(write, reader, row):
    path = write(TABLE + row)
    with pytest.raises(InputError, match=rf"{path} must .* (Line 4|row 3)"):
        readers(path)[reader]()


@pytest.mark.parametrize("reader", ["read", "chunks"])
@pytest.mark.parametrize("n_before", [0, 100_000])
def test_a_nul_byte_is_refused_by_its_line(write, reader, n_before):
    before = "".join(f"ISIC_A{i},IP_1,0,45,male\n" for i in range(n_before))
    path = write(TABLE + before + "ISIC_3,IP_3,0,60,ma" + 4096 * "\0")
    said = rf"{path} must be text\. Line {4 + n_before} holds a NUL byte"
    with pytest.raises(InputError, match=said):
        readers(path)[reader]()


def test_nothing_of_a_table_that_is_not_whole_is_read(write):
    path = write(TABLE + "ISIC_3\n")
    pieces = metadata.chunks(path, columns=["isic_id"], n_lesions=1)
    with pytest.raises(InputError, match=r"Line 4 has 1"):
        next(iter(pieces))


@pytest.mark.parametrize(
    "odd",
    [
        TABLE.replace("0,45,male", '0,45,"ma\nle"'),
        TABLE.replace("IP_1", '"I ""P"", 1"'),
        TABLE.replace("IP_1", 'I"P" 1'),
        TABLE.replace("\n", "\n\n"),
        TABLE + "\n  \n",
        "\n" + TABLE,
        TABLE.replace("\n", "\r"),
    ],
)
def test_what_is_whole_in_an_odd_way_is_read(write, odd):
    path = write(odd)
    assert len(metadata.read(path)) == 2
    assert sum(map(len, metadata.chunks(path, columns=["isic_id"], n_lesions=1))) == 2


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
