"""serving.values: numbers in the range of their column, and text that can be written."""

import math

import pandas as pd
import pytest

from skinlesion.dataset import columns
from skinlesion.serving import refusal, values
from skinlesion.serving.values import Column

AGE, SEX = Column("age_approx", is_number=True), Column("sex", is_number=False)


def refused(given: object, column: Column = AGE) -> refusal.Finding:
    with pytest.raises(refusal.RefusalError) as error:
        values.value(given, column, "row")
    assert error.value.status == 422
    return error.value.findings[0]


@pytest.mark.parametrize("given", [60, 60.0, "60", " 60 ", "6e1"])
def test_a_number_may_be_written_as_text(given):
    assert values.value(given, AGE, "row") == 60


@pytest.mark.parametrize("given", [None, ""])
def test_a_value_may_be_missing(given):
    assert math.isnan(values.value(given, AGE, "row"))
    assert values.value(given, SEX, "row") is None


@pytest.mark.parametrize(
    "given",
    [True, [60], {}, "sixty", "nan", "inf", "1e400", -1, 121, 1e300, 10**400, "\ud800", "6\x00"],
)
def test_what_is_no_number_of_the_column_is_refused_with_its_range(given):
    finding = refused(given)

    assert finding.field == "row: age_approx"
    assert finding.expected == "a number in [0, 120] years, or nothing"


@pytest.mark.parametrize("given", [1, True, [], {}, "\ud800", "a\0b"])
def test_what_is_no_text_that_can_be_written_is_refused(given):
    assert refused(given, SEX).field == "row: sex"


@pytest.mark.parametrize("name", columns.NUMERIC)
def test_a_row_takes_the_numbers_that_a_table_takes(name):
    quantity, of = columns.NUMERIC[name], Column(name, is_number=True)
    middle = (quantity.low + quantity.high) / 2
    series = pd.Series([middle])

    assert values.value(middle, of, "row") == values.column(series, of, series)[0] == middle
    for beyond in (quantity.low - 1, quantity.high * 1.01 + 1):
        refused(beyond, of)
        with pytest.raises(refusal.RefusalError):
            values.column(pd.Series([middle, beyond]), of, pd.Series(["a", "b"]))


@pytest.mark.parametrize("wrong", ["x", "1e999", "121"])
def test_a_wrong_value_of_a_table_is_named_with_its_lesion(wrong):
    with pytest.raises(refusal.RefusalError) as error:
        values.column(pd.Series(["60", None, wrong]), AGE, pd.Series(["a", "b", "c"]))
    assert error.value.findings[0].field == "table: age_approx, c"
    assert error.value.findings[0].found == wrong


def test_each_absent_column_is_named_with_the_one_that_may_be_meant():
    with pytest.raises(refusal.RefusalError) as error:
        values.require([AGE, SEX], ["age_aprox", "isic_id"], "table")
    first, second = error.value.findings
    assert first.found == "no such column. Did you mean 'age_aprox'?"
    assert second.field == "table: sex"
