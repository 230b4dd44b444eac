"""evaluation.baseline: sorting by one column of the table, against the score in use."""

import numpy as np
import pytest
from tests.resampling import drawn, lesions, params

from skinlesion.errors import InputError
from skinlesion.evaluation import baseline, comparison


def table():
    found = lesions(0).reset_index(names="isic_id")
    return found.assign(diameter=lambda t: np.where(t.index % 9 == 0, np.nan, t.index % 7))


def test_the_largest_come_first_and_those_without_a_value_last():
    found = baseline.scored(table(), "diameter")
    known = table()["diameter"].notna()
    assert found["score"][known].equals(table()["diameter"][known])
    assert found["score"][~known].max() < found["score"][known].min()


def test_the_difference_is_of_the_score_less_the_column():
    found = baseline.measures(table(), "diameter", params(), drawn(table()))
    by_column = baseline.scored(table(), "diameter")
    expected = comparison.paired(by_column, table(), params(), resamples=drawn(table()))
    assert found["column"] == "diameter"
    assert found["auc"] == expected["auc"]["first"]
    assert found["pauc_difference"] == expected["pauc"]["difference"]


def test_without_a_column_there_is_no_comparison_and_words_are_refused():
    assert baseline.measures(table(), None, params(), drawn(table())) is None
    with pytest.raises(InputError, match=r"evaluate\.baseline must be a column of numbers.*'sex'"):
        baseline.scored(table().assign(sex="female"), "sex")


def test_a_set_without_any_value_ranks_as_a_tie():
    """As the lesions of one clinic may, where the others have the column."""
    lesions = table().assign(size=np.nan)
    found = baseline.measures(lesions, "size", params(), drawn(lesions))

    assert found["auc"]["value"] == 0.5
