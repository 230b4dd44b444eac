"""bundle.rows: what a row must hold, and one message for each that does not."""

import numpy as np
import pandas as pd
import pytest

from skinlesion.bundle import rows
from skinlesion.errors import InputError

COLUMNS = rows.Columns(["age_approx"], ["sex"], {"age_approx": ["table"], "sex": ["network"]}, {})


def table(**changes: object) -> pd.DataFrame:
    given = {"isic_id": ["A", "B"], "patient_id": ["P", None], "age_approx": [40, None]}
    return pd.DataFrame(given | {"sex": ["male", None], "other": [1, 2]} | changes)


def test_the_columns_are_taken_and_numbers_are_numbers():
    found = rows.checked(table(age_approx=["40", None]), COLUMNS)

    assert found.columns.tolist() == ["isic_id", "patient_id", "sex", "age_approx"]
    np.testing.assert_array_equal(found["age_approx"], [40.0, np.nan])
    assert found["patient_id"].tolist() == ["P", None]


def test_a_table_without_patients_is_taken():
    assert "patient_id" not in rows.checked(table().drop(columns="patient_id"), COLUMNS)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (table().drop(columns="sex"), r"must have a column 'sex'\."),
        (table().rename(columns={"age_approx": "age"}), r"'age_approx'\."),
        (table().drop(columns="isic_id"), "must have a column 'isic_id'"),
        (table(isic_id=["A", "A"]), "must name each isic_id once. Got 'A' again"),
        (table(isic_id=["A", None]), "Row 2 has no isic_id"),
        (table()[:0], "must hold lesions. It holds none"),
        (
            table(age_approx=["old", 3]),
            "age_approx must be a finite number. Got 'old' instead for A",
        ),
        (table(age_approx=[1.0, np.inf]), "Got inf instead for B"),
    ],
)
def test_what_cannot_be_scored_is_refused_by_name(given, said):
    with pytest.raises(InputError, match=said):
        rows.checked(given, COLUMNS)


def test_columns_are_described_with_unit_and_range():
    age, sex = COLUMNS.described()

    assert (age["kind"], age["unit"], age["low"], age["high"]) == ("number", "years", 0, 120)
    assert (sex["kind"], sex["unit"], sex["low"], sex["members"]) == ("text", "", None, ["network"])
