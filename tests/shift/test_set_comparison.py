"""shift.set_comparison: each set is compared with the profile, and each lesion marked."""

import json

import numpy as np
import pandas as pd
from tests import shifts

from skinlesion.dataset import stores
from skinlesion.shift import comparison, profile, set_comparison, sets


def test_each_set_is_compared_and_each_lesion_marked(work, challenge):
    given = shifts.read(work, challenge)
    known = sets.learn(given)
    out = work / "shift"
    out.mkdir()
    found = set_comparison.compare(given, known, out)
    set_comparison.write(work / "shift.json", known, found)
    profile.save(out / sets.PROFILE, known)

    assert found.keys() == {"test", "holdout"}
    assert found["test"]["n_patients"] > 1
    assert json.loads((work / "shift.json").read_text())["sets"] == found
    for name in ("test", "holdout", "oof"):
        marks = pd.read_csv(out / f"{name}.csv")
        assert list(marks) == ["isic_id", "image_distance", "shift"]
        assert marks["isic_id"].tolist() == pd.read_csv(work / f"{name}.csv")["isic_id"].tolist()
    assert set_comparison.summary(found).count("\n") == 1
    assert comparison.warning("test", found["holdout"]) == ""


def test_tiles_of_another_size_and_lighting_raise_an_alarm(
    work, challenge, solid_tiles, monkeypatch
):
    given = shifts.read(work, challenge)
    known = sets.learn(given)
    ids = pd.read_csv(work / "test.csv")["isic_id"]
    monkeypatch.setattr(stores, "open_store", lambda path: solid_tiles(dict.fromkeys(ids, 5)))
    (work / "shift").mkdir()
    found = set_comparison.compare(given, known, work / "shift")

    assert set(found["test"]["alarms"]) == {"tile_px", "tile_brightness"}


def test_without_a_holdout_or_an_image_branch_there_is_less_to_compare(work, challenge):
    for name in ("test", "holdout", "oof"):
        np.save(work / f"image-{name}.npy", np.zeros((0, 0), np.float32))
    path = work / "holdout.csv"
    pd.read_csv(path)[:0].to_csv(path, index=False)
    given = shifts.read(work, challenge)
    known = sets.learn(given)
    (work / "shift").mkdir()
    found = set_comparison.compare(given, known, work / "shift")

    assert known.image is None
    assert found.keys() == {"test"}
    assert (work / "shift/holdout.csv").read_text() == "isic_id,image_distance,shift\n"
