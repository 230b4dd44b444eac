"""bundle.table: what the experts read is what stage derive writes, to the bit."""

import shutil

import numpy as np
import pandas as pd
import pytest
from tests import bundles

from skinlesion.boosting import matrix
from skinlesion.bundle import runtime, table
from skinlesion.errors import InputError


@pytest.fixture(scope="module")
def experts(made) -> table.Table:
    return table.load(made / "both" / "table")


@pytest.fixture
def lesions(table) -> pd.DataFrame:
    return table


def test_the_matrix_is_that_of_derive(made, experts, lesions, tiles):
    found = experts.read(lesions, runtime.Memory(tiles))
    for fold, values in found.items():
        e = experts.experts[fold]
        ids = pd.Index(lesions["isic_id"])
        expected = matrix.read(made / "test.parquet", e.columns, e.categories, ids)
        order = pd.Index(expected.isic_ids).get_indexer(ids)
        np.testing.assert_array_equal(values, expected.values[order])


def test_it_says_which_columns_it_reads(experts):
    numeric = {"age_approx", "tbp_lv_areaMM2", "tbp_lv_H", "tbp_lv_L", "clin_size_long_diam_mm"}

    assert set(experts.numeric) == numeric
    assert experts.text == ["sex", "anatom_site_general"]


def test_a_tile_that_is_absent_leaves_its_numbers_missing(experts, lesions, tiles):
    found = experts.read(lesions, runtime.Memory({}))[0]
    own = [n.startswith("tile_") for n in experts.experts[0].columns.names]

    assert np.isnan(found[:, own]).all()
    logits, spread = experts.logits({0: found})
    assert np.isfinite(logits).all()
    assert (spread["table_sd_seeds"] > 0).all()
    assert np.isnan(spread["table_sd_folds"]).all()


def test_a_bundle_without_experts_has_no_folder_of_them(made):
    assert table.load(made / "image" / "table") is None


def test_settings_that_cannot_be_read_are_named(made, tmp_path):
    folder = shutil.copytree(made / "both" / "table", tmp_path / "table")
    (folder / table.SETTINGS).write_text("{}")
    with pytest.raises(InputError, match=r"settings\.json must be the settings of table experts"):
        table.load(folder)


def test_the_plan_is_that_of_the_fixture(experts):
    """So that the tests above cover numbers of the tile, and those relative to the patient."""
    assert experts.settings.derive == bundles.DERIVE
    assert experts.settings.plan.tile
    assert "n_outlying|patient" in experts.settings.plan.relative
