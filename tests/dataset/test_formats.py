"""dataset.formats: a table is not taken for another kind of file, nor another kind for a table."""

import pytest

from skinlesion.dataset import formats

HEADER = "isic_id,patient_id,target"


@pytest.mark.parametrize(
    "text", ["", "i", HEADER, "\ufeff" + HEADER, "größe,target", "\n\n" + HEADER]
)
def test_the_start_of_a_table_is_of_no_other_kind(text):
    assert formats.kind(text.encode()) == ""


def test_nul_bytes_alone_are_not_utf_16():
    assert formats.kind(bytes(100)) == ""


@pytest.mark.parametrize("header", ["isic_id", HEADER, "isic_id,a;b,c", "isic_id,a\tb", ""])
def test_commas_and_single_columns_need_no_other_separator(header):
    assert formats.separator(header) == ""


def test_a_line_of_windows_is_read_and_other_bytes_are_not():
    assert formats.cp1252("größe €".encode("cp1252")) == "größe €"
    assert formats.cp1252(b"\xff\xd8\xff\xe0\x00\x10") == ""
    assert formats.cp1252(b"\x81") == ""
