"""preparation.check_ids: where names of lesions and tiles differ, what would match is said."""

import h5py
import numpy as np
import pytest
from tests.checking import TILE, as_read, inspect, table

from skinlesion.dataset import stores
from skinlesion.preparation import check, check_ids


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("name", "example"),
    [
        (lambda i: f"ISIC_{i:02d}.jpg", "The file has ISIC_00.jpg, the table ISIC_00."),
        (lambda i: f"isic_{i:02d}", "The file has isic_00, the table ISIC_00."),
        (lambda i: f"ISIC_{i:07d}", "The file has ISIC_0000000, the table ISIC_00."),
        (lambda i: f"train/ISIC_{i:02d}.png", "The file has train/ISIC_00.png, the table ISIC_00."),
        (lambda i: f"tile{i}", "The file has tile0, the table ISIC_00."),
    ],
)
def test_tiles_of_other_names_are_an_error_with_an_example(tmp_path, training, name, example):
    lesions = as_read(table(), tmp_path)
    tiles = {name(i): TILE for i in range(6)}
    findings, _ = inspect(lesions, tiles, training=training)
    said = f"train.hdf5: most lesions of train.csv have no tile in it. {example}"
    assert findings.errors[said] == lesions["isic_id"].tolist()


def test_a_table_may_have_the_suffix_instead(tmp_path):
    lesions = as_read(table(isic_id=[f"ISIC_{i:02d}.jpg" for i in range(6)]), tmp_path)
    findings, _ = inspect(lesions, {f"ISIC_{i:02d}": TILE for i in range(6)}, training=False)
    (said,) = findings.errors
    assert said.endswith("The file has ISIC_00, the table ISIC_00.jpg.")


def test_a_group_that_holds_the_tiles_is_named(tmp_path):
    lesions = as_read(table(), tmp_path)
    with h5py.File(tmp_path / "train.hdf5", "w") as file:
        for isic_id in lesions["isic_id"]:
            file[f"images/{isic_id}"] = np.void(TILE)
    store = stores.open_store(tmp_path / "train.hdf5")
    findings = check.Findings()
    check_ids.inspect(
        check.Part(lesions, "train.csv", store, "train.hdf5", training=True), findings
    )
    (said,) = findings.errors
    assert said.endswith("have no tile in it. Tiles are under /images, and must be at the top.")


@pytest.mark.parametrize(("n_absent", "refused"), [(0, False), (3, False), (4, True), (6, True)])
def test_a_test_table_is_refused_if_most_tiles_are_absent(tmp_path, n_absent, refused):
    lesions = as_read(table(), tmp_path)
    tiles = dict.fromkeys(lesions["isic_id"][n_absent:], TILE)
    findings, _ = inspect(lesions, tiles, training=False)
    assert bool(findings.errors) == refused
