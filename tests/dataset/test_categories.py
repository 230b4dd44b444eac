"""dataset.categories: a category is the same however a file writes it."""

import numpy as np
import pandas as pd
import pytest

from skinlesion.dataset import categories


def canonical(*values) -> list:
    return categories.canonical(pd.Series(list(values), dtype=object)).tolist()


@pytest.mark.parametrize(
    "same",
    [
        [3, 3.0, "3", "3.0", "3.", "03", " 3 ", "+3", np.int64(3), np.float32(3)],
        [3.5, "3.5", "3.50", "03.5"],
        [-1, "-1", "-1.0", "-01"],
        [0, "0", "-0", "-0.0", 0.0, "000"],
        [True, "True", "TRUE", "true", np.True_, "true "],
        ["Type 3", "type 3", "TYPE  3", "type\t3 "],
        ["Straße", "STRASSE", "straße"],
    ],
)
def test_one_category_has_one_spelling(same):
    assert len(set(canonical(*same))) == 1


@pytest.mark.parametrize(
    "others",
    [
        ["3", "30", "3.1", "-3", "1e3", "3a", "3.0.0"],
        ["male", "female"],
        ["0", "false", "no"],
        ["Left Leg - Lower", "Left Leg - Upper", "Left Leg"],
    ],
)
def test_other_categories_stay_apart(others):
    assert len(set(canonical(*others))) == len(others)


def test_what_is_blank_is_missing():
    assert pd.isna(canonical(None, np.nan, "", "  ", pd.NA, "\t")).all()


def test_a_canonical_category_stays_and_rows_keep_their_labels():
    column = pd.Series(["B", None, "3.0", "a"], index=[5, 1, 7, 2])
    once = categories.canonical(column)
    assert once.index.tolist() == [5, 1, 7, 2]
    pd.testing.assert_series_equal(categories.canonical(once), once)


def test_the_commonest_spelling_is_shown_and_of_those_alike_common_the_first():
    column = pd.Series(["male", "Male", "male ", "FEMALE", "female", "3.0", "3.0", "3", None])
    shown = categories.shown(column)
    assert shown.to_dict() == {"male": "male", "female": "FEMALE", "3": "3"}
    pd.testing.assert_series_equal(categories.shown(column[::-1]).sort_index(), shown.sort_index())


def test_a_column_without_values_has_no_categories():
    for empty in (pd.Series([], dtype=object), pd.Series([None, None]), pd.Series([], dtype=float)):
        assert categories.canonical(empty).isna().all()
        assert not len(categories.shown(empty))
