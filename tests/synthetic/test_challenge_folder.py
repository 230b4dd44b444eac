"""synthetic.challenge_folder: a folder in the layout of SLICE-3D, equal to the byte each time."""

import io
import os
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image
from tests.conftest import ALIKE
from tests.process import changed

from skinlesion import params
from skinlesion.dataset import metadata
from skinlesion.synthetic import challenge_folder

SMALL = {"n_lesions": 160, "n_patients": 20, "n_malignant": 12, "n_test_lesions": 30, "seed": 7}
SMALL["clinics"] = ALIKE
FILES = ["test-image.hdf5", "test-metadata.csv", "train-image.hdf5", "train-metadata.csv"]
TRAIN_ORDER = ("isic_id", "target", "patient_id", "age_approx", "sex", "anatom_site_general")


def draw(folder: Path, **changes: int) -> Path:
    challenge_folder.draw(
        folder, challenge_folder.Params(**SMALL | changes), progress=lambda n: None
    )
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def tiles(folder: Path, name: str) -> dict[str, bytes]:
    with h5py.File(folder / f"{name}-image.hdf5") as file:
        return {isic_id: file[isic_id][()] for isic_id in file}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return draw(tmp_path_factory.mktemp("drawn"))


@pytest.fixture(scope="module")
def train(folder):
    return metadata.read(folder / "train-metadata.csv")


@pytest.fixture(scope="module")
def test(folder):
    return metadata.read(folder / "test-metadata.csv")


def test_the_folder_holds_the_four_files(folder):
    assert sorted(contents(folder)) == FILES


def test_the_same_params_give_the_same_bytes_and_progress_hears_of_every_tile(folder, tmp_path):
    told = []
    challenge_folder.draw(tmp_path, challenge_folder.Params(**SMALL), progress=told.append)
    assert contents(tmp_path) == contents(folder)
    assert sum(told) == SMALL["n_lesions"] + SMALL["n_test_lesions"]


def test_another_seed_gives_other_bytes(folder, tmp_path):
    again, drawn = contents(draw(tmp_path, seed=8)), contents(folder)
    assert all(again[name] != drawn[name] for name in FILES)


def test_the_number_of_processes_does_not_matter(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(challenge_folder, "WORTH_A_PROCESS", 80)
    monkeypatch.setattr(challenge_folder, "os", changed(os, cpu_count=lambda: 2))
    assert contents(draw(tmp_path)) == contents(folder)


def test_the_size_of_a_block_does_not_matter(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(challenge_folder, "BLOCK", 7)
    assert contents(draw(tmp_path)) == contents(folder)


def test_the_training_table_has_the_55_columns_in_order(train):
    assert tuple(train.columns) == tuple(challenge_folder.COLUMNS)
    assert len(train.columns) == 55
    assert tuple(train.columns[:6]) == TRAIN_ORDER
    assert set(train.columns) == {*metadata.TEXT, *metadata.NUMERIC} | {"target"}


def test_the_test_table_has_the_44_others_in_order(test):
    assert len(test.columns) == 44
    expected = [name for name in challenge_folder.COLUMNS if name not in metadata.TRAIN_ONLY]
    assert list(test.columns) == expected


def test_the_counts_are_as_asked(train, test):
    assert len(train) == SMALL["n_lesions"]
    assert train["patient_id"].nunique() == SMALL["n_patients"]
    assert train["target"].sum() == SMALL["n_malignant"]
    assert len(test) == SMALL["n_test_lesions"]


def test_identifiers_are_distinct_and_in_order(train, test):
    assert train["isic_id"].is_monotonic_increasing
    assert test["isic_id"].is_monotonic_increasing
    both = [*train["isic_id"], *test["isic_id"]]
    assert len(set(both)) == len(both)
    assert all(len(isic_id) == len("ISIC_0015845") for isic_id in both)


def test_most_test_patients_are_new(tmp_path):
    folder = draw(tmp_path, n_lesions=60, n_test_lesions=60)
    known = set(metadata.read(folder / "train-metadata.csv")["patient_id"])
    asked = set(metadata.read(folder / "test-metadata.csv")["patient_id"])
    assert len(asked & known) == 4
    assert len(asked - known) == 16


def test_numbers_are_numbers_and_texts_are_texts(train):
    numbers = set(train.select_dtypes("number").columns)
    # A column without a value has no type: iddx_5, and at this size perhaps mel_thick_mm.
    empty = set(train.columns[train.isna().all()])
    assert numbers | empty >= set(metadata.NUMERIC) | {"target"}
    assert not (numbers - empty) & set(metadata.TEXT)


@pytest.mark.parametrize("name", ["train", "test"])
def test_every_lesion_has_one_square_tile_of_61_to_239_px(folder, name):
    drawn = tiles(folder, name)
    assert list(drawn) == list(metadata.read(folder / f"{name}-metadata.csv")["isic_id"])
    for tile in drawn.values():
        image = Image.open(io.BytesIO(tile))
        image.load()
        assert (image.format, image.mode) == ("JPEG", "RGB")
        assert image.width == image.height
        assert 61 <= image.width <= 239


def test_the_median_tile_is_about_131_px_and_2_to_4_kb(folder):
    drawn = tiles(folder, "train").values()
    sides = [Image.open(io.BytesIO(tile)).width for tile in drawn]
    assert 124 <= np.median(sides) <= 138
    assert 2000 <= np.mean([len(tile) for tile in drawn]) <= 4000


def test_a_tile_is_stored_as_one_scalar_of_bytes(folder):
    with h5py.File(folder / "train-image.hdf5") as file:
        dataset = file[next(iter(file))]
        assert dataset.shape == ()
        assert dataset.dtype.kind == "S"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_patients": 161}, "n_patients <= n_lesions"),
        ({"n_malignant": 160}, "n_malignant < n_lesions"),
        ({"n_malignant": 0}, "greater than or equal to 1"),
        ({"seed": -1}, "greater than or equal to 0"),
    ],
)
def test_params_that_do_not_fit_are_an_error(tmp_path, changes, message):
    path = tmp_path / "params.yaml"
    keys = [f"  {key}: {value}" for key, value in (SMALL | changes).items()]
    path.write_text("\n".join(["synthesize:", *keys]))
    with pytest.raises(params.ParamsError, match=message):
        params.load("synthesize", challenge_folder.Params, path)


@pytest.mark.parametrize(
    "extreme",
    [
        {"n_lesions": 2, "n_patients": 1, "n_malignant": 1, "n_test_lesions": 1},
        {"n_lesions": 20, "n_patients": 20, "n_malignant": 19, "n_test_lesions": 3},
        {"n_lesions": 20, "n_patients": 2, "n_malignant": 19, "n_test_lesions": 30},
    ],
)
def test_the_smallest_and_most_lopsided_folders_can_be_drawn(tmp_path, extreme):
    train = metadata.read(draw(tmp_path, **extreme) / "train-metadata.csv")
    assert train["target"].sum() == extreme["n_malignant"]
    assert train["patient_id"].nunique() == extreme["n_patients"]
