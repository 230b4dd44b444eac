"""serving.table: a patient's lesions as CSV, refused as every metadata table is."""

import math

import pandas as pd
import pytest

from skinlesion.serving import refusal, table
from skinlesion.serving.values import Column

NEEDED = [Column("age_approx", is_number=True), Column("sex", is_number=False)]
HEADER = b"isic_id,patient_id,age_approx,sex\n"


def refused(content: bytes) -> refusal.RefusalError:
    with pytest.raises(refusal.RefusalError) as error:
        table.read(content, NEEDED)
    return error.value


def test_lesions_stay_in_their_order_with_the_columns_that_the_models_read():
    found = table.read(b"sex,isic_id,age_approx,target\nmale, b ,60,1\n,a,,0\n", NEEDED)

    assert found["isic_id"].tolist() == ["b", "a"]
    assert list(found) == ["isic_id", "patient_id", "age_approx", "sex"]
    assert found["age_approx"][0] == 60
    assert math.isnan(found["age_approx"][1])
    assert pd.isna(found["sex"][1])


def test_a_table_without_patient_is_of_one():
    found = table.read(b"isic_id,age_approx,sex\na,1,male\nb,2,male\n", NEEDED)

    assert found["patient_id"].nunique() == 1


@pytest.mark.parametrize(
    ("content", "field", "found"),
    [
        (b"", "table", "It is empty."),
        (b"PK\x03\x04" + b"\0" * 600, "table", "It is a zip archive"),
        (HEADER.replace(b",", b";"), "table", "They seem to be separated by semicolons."),
        (HEADER + b"a,P,60\n", "table", "Line 2 has 3: 'a,P,60'"),
        (HEADER + b'a,P,60,"male\n', "table", "EOF inside string"),
        (HEADER + b"a,P,60,m\xe4nnlich\n", "table", "save it as UTF-8"),
        (HEADER + b"a,P,60,\0\n", "table", "NUL byte"),
        (HEADER.replace(b"sex", b"isic_id"), "table", "more than once"),
        (HEADER, "table", "no row"),
        (HEADER.replace(b"sex", b"Sex"), "table: sex", "Did you mean 'Sex'?"),
        (HEADER.replace(b"isic_id", b"id"), "table: isic_id", "no such column"),
        (HEADER + b"a,P,sixty,male\n", "table: age_approx, a", "sixty"),
        (HEADER + b"a,P,600,male\n", "table: age_approx, a", "600"),
        (HEADER + b"a,P,1,male\nb,Q,1,male\n", "table: patient_id", "2: P, Q"),
        (HEADER + b"a,P,1,male\n a ,P,1,male\n", "table: isic_id, a", "two"),
        (HEADER + b"a,P,1,male\n,P,1,male\n", "table: isic_id", "1 without"),
    ],
)
def test_what_is_no_table_of_a_patient_is_refused_by_its_place(content, field, found):
    error = refused(content)

    assert error.status == 422
    assert error.findings[0].field == field
    assert found in error.findings[0].found


def test_no_refusal_tells_a_path():
    for content in (b"", b"a,a\n", HEADER + b"a\n", b"\xff\xfe"):
        [finding] = refused(content).findings
        assert "/" not in finding.field + finding.found + finding.expected.replace("isic/", "")


@pytest.mark.parametrize("content", [b"," * 1000, b"x" * (1 << 16), b"a," * 500_000])
def test_a_table_wider_than_any_is_refused_before_it_is_read(content):
    assert refused(content).status == 413


@pytest.mark.parametrize("start", [b"\n", b"  \n\n", b'"a\nb",'])
def test_columns_are_counted_wherever_the_header_begins(start):
    names = ",".join(f"c{i}" for i in range(table.N_COLUMNS + 1)).encode()
    with pytest.raises(refusal.RefusalError) as refused:
        table.read(start + b"isic_id,age_approx,sex," + names + b"\n", NEEDED)

    assert refused.value.status == 413
