"""dataset.rows: a table is looked through fast, and to the same end as field by field."""

import csv

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skinlesion.dataset import rows
from skinlesion.errors import InputError

FIELD = st.text(alphabet="ab ;\"'ü", max_size=3)
TABLES = st.lists(st.lists(FIELD, min_size=1, max_size=3), min_size=1, max_size=5)
QUICKLY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def is_whole(path, n_fields: int) -> bool:
    try:
        rows.require_whole(path, n_fields)
    except InputError:
        return False
    return True


@given(table=TABLES, end=st.sampled_from(["\n", "\r\n"]))
@QUICKLY
def test_a_table_is_whole_if_its_rows_are_as_long_as_the_header(tmp_path, table, end):
    path = tmp_path / "table.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(table)
    whole = all(len(row) == len(table[0]) for row in table if len(row) > 1 or row[0].strip())

    assert is_whole(path, len(table[0])) == whole


@given(text=st.text(alphabet='a,"\n\r ', max_size=30))
@QUICKLY
def test_what_arrow_lets_pass_is_whole_field_by_field(tmp_path, monkeypatch, text):
    path = tmp_path / "table.csv"
    path.write_bytes(b"a,b,c\n" + text.encode())
    fast = is_whole(path, 3)
    with monkeypatch.context() as patch:
        patch.setattr(rows, "_arrow_agrees", lambda path: False)
        slow = is_whole(path, 3)

    assert fast == slow


@pytest.mark.parametrize("n_bytes", [1, 2, 3, 5, 1 << 20])
def test_a_character_may_lie_across_two_pieces(tmp_path, monkeypatch, n_bytes):
    monkeypatch.setattr(rows, "N_BYTES", n_bytes)
    path = tmp_path / "table.csv"
    path.write_text("ä,€,😀\n" * 3, encoding="utf-8")
    rows.require_text(path)
    path.write_bytes("ä\nö\n".encode() + "€".encode()[:2])
    with pytest.raises(InputError, match="Line 3 reads"):
        rows.require_text(path)
