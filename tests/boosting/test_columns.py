"""boosting.columns: what an expert reads, in which order, and categories as codes."""

import numpy as np
import pandas as pd
import pytest
from tests import boost_numbers

from skinlesion.boosting.columns import Columns, choose, filled
from skinlesion.derivation import plan


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("numbers")
    boost_numbers.write(folder)
    return folder


def test_what_is_known_of_a_lesion_by_itself_stands_first(folder):
    columns = choose(plan.load(folder), ["table", "tile"])
    assert columns.names[: columns.n_alone] == ["tbp_lv_H", "tbp_lv_L", "sex"]
    assert columns.relative == ["tbp_lv_H|z|patient", "tbp_lv_L|z|patient", "n_lesions|patient"]


def test_numbers_of_the_tile_can_be_left_out_with_what_is_relative_to_them(folder):
    given = plan.load(folder).model_copy(update={"tile": ["tbp_lv_L"], "base": ["tbp_lv_H"]})
    table, tile = choose(given, ["table"]), choose(given, ["tile"])
    assert table.names == ["tbp_lv_H", "sex", "tbp_lv_H|z|patient", "n_lesions|patient"]
    assert tile.names == ["tbp_lv_L", "tbp_lv_L|z|patient", "n_lesions|patient"]


def test_numbers_stay_and_categories_become_their_places_among_the_known():
    columns = Columns(["size_mm"], ["size_mm|z|patient"], ["sex"])
    given = {
        "size_mm": np.array([1.5, np.nan, 3.0, 4.0]),
        "sex": pd.Series(["male", "female", None, "unheard of"]),
        "size_mm|z|patient": np.array([0.0, 1.0, np.nan, -1.0]),
        "not asked for": np.zeros(4),
    }
    found = filled(given, columns, {"sex": ["female", "male"]}, n=4)

    expected = [[1.5, 1, 0], [np.nan, 0, 1], [3, np.nan, np.nan], [4, np.nan, -1]]
    np.testing.assert_array_equal(found, np.array(expected, np.float32))


def test_what_sums_up_numbers_that_are_left_out_is_left_out_too(folder):
    mixed = ["total_area|patient", "n_outlying|patient", "largest_z|patient", "sd_of_z|patient"]
    given = plan.load(folder).model_copy(
        update={
            "tile": ["tbp_lv_L"],
            "base": ["tbp_lv_H"],
            "relative": [*mixed, "n_lesions|patient"],
        }
    )

    assert choose(given, ["table", "tile"]).relative == given.relative
    assert choose(given, ["table"]).relative == ["total_area|patient", "n_lesions|patient"]
    assert choose(given, ["tile"]).relative == ["n_lesions|patient"]
    without_tiles = given.model_copy(update={"tile": []})
    assert choose(without_tiles, ["table"]).relative == given.relative
