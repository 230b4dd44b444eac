"""shift.sets: the training lesions are profiled, and the test set and the holdout compared."""

import json

import numpy as np
import pandas as pd
import pytest

from skinlesion.dataset import challenge as challenges
from skinlesion.dataset import metadata
from skinlesion.errors import InputError
from skinlesion.shift import comparison, profile, sets

COLUMNS = (["age_approx", "clin_size_long_diam_mm"], ["sex"])


@pytest.fixture
def work(challenge, tmp_path):
    """What stages before have written, of a drawn folder; patients 0, 1 and 2 of 4 are folds."""
    lesions = metadata.read(challenge / "train-metadata.csv", columns=["isic_id", "patient_id"])
    code = pd.factorize(lesions["patient_id"], sort=True)[0] % 4
    split = lesions.assign(target=0, fold=code - 1)
    split.to_csv(tmp_path / "folds.csv", index=False)
    plan = {"base": ["tbp_lv_A"], "categorical": ["sex"], "tile": ["tile_l"]}
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    test = metadata.read(challenge / "test-metadata.csv", columns=["isic_id"])
    rng = np.random.default_rng(0)
    for name, table in (("train", lesions), ("test", test)):
        numbers = table[["isic_id"]].assign(tile_l=rng.normal(size=len(table)))
        numbers.to_parquet(tmp_path / f"{name}.parquet", index=False)
    parts = {"holdout": split[split["fold"] < 0], "oof": split[split["fold"] == 0], "test": test}
    for name, table in parts.items():
        table.to_csv(tmp_path / f"{name}.csv", index=False)
        np.save(tmp_path / f"image-{name}.npy", rng.normal(size=(len(table), 3)).astype("f4"))
    return tmp_path


def read(work, challenge, folds=(0,)) -> sets.Sets:
    names = ("train-metadata.csv", "train-image.hdf5", "test-metadata.csv", "test-image.hdf5")
    folder = challenges.Files(*(challenge / name for name in names))
    return sets.read(work, folder, sets.Files(work / "folds.csv", work), COLUMNS, list(folds))


def test_the_profile_is_of_the_lesions_that_a_model_learnt_from(work, challenge):
    split = pd.read_csv(work / "folds.csv")
    for folds, learnt in (((0,), [1, 2]), ((0, 1), [0, 1, 2])):
        known = sets.learn(read(work, challenge, folds))
        assert known.sizes.n_lesions == split["fold"].isin(learnt).sum()
    assert set(known.columns) == {
        *("age_approx", "clin_size_long_diam_mm", "tbp_lv_A", "sex", "tile_l"),
        *("tile_px", "tile_brightness"),
    }


def test_each_set_is_compared_and_each_lesion_marked(work, challenge):
    given = read(work, challenge)
    known = sets.learn(given)
    out = work / "shift"
    out.mkdir()
    found = sets.compare(given, known, out)
    sets.write(work / "shift.json", known, found)
    profile.save(out / sets.PROFILE, known)

    assert found.keys() == {"test", "holdout"}
    assert found["test"]["n_patients"] > 1
    assert json.loads((work / "shift.json").read_text())["sets"] == found
    for name in ("test", "holdout", "oof"):
        marks = pd.read_csv(out / f"{name}.csv")
        assert list(marks) == ["isic_id", "image_distance", "shift"]
        assert marks["isic_id"].tolist() == pd.read_csv(work / f"{name}.csv")["isic_id"].tolist()
    assert sets.summary(found).count("\n") == 1
    assert comparison.warning("test", found["holdout"]) == ""


def test_tiles_of_another_size_and_lighting_raise_an_alarm(
    work, challenge, solid_tiles, monkeypatch
):
    given = read(work, challenge)
    known = sets.learn(given)
    ids = pd.read_csv(work / "test.csv")["isic_id"]
    monkeypatch.setattr(sets.stores, "open_store", lambda path: solid_tiles(dict.fromkeys(ids, 5)))
    (work / "shift").mkdir()
    found = sets.compare(given, known, work / "shift")

    assert set(found["test"]["alarms"]) == {"tile_px", "tile_brightness"}


def test_without_a_holdout_or_an_image_branch_there_is_less_to_compare(work, challenge):
    for name in ("test", "holdout", "oof"):
        np.save(work / f"image-{name}.npy", np.zeros((0, 0), np.float32))
    path = work / "holdout.csv"
    pd.read_csv(path)[:0].to_csv(path, index=False)
    given = read(work, challenge)
    known = sets.learn(given)
    (work / "shift").mkdir()
    found = sets.compare(given, known, work / "shift")

    assert known.image is None
    assert found.keys() == {"test"}
    assert (work / "shift/holdout.csv").read_text() == "isic_id,image_distance,shift\n"


def test_features_of_other_lesions_are_refused(work, challenge):
    np.save(work / "image-test.npy", np.zeros((1000, 3), np.float32))
    given = read(work, challenge)
    known = sets.learn(given)
    (work / "shift").mkdir()
    with pytest.raises(InputError, match=r"image-test\.npy must be of the lesions of test"):
        sets.compare(given, known, work / "shift")
