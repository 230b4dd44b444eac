"""scoring.folder: models say what they are run with, before anything imports Keras."""

import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from tests.tiles import JPEG

from skinlesion.errors import InputError
from skinlesion.scoring import folder

ROOT = Path(__file__).parents[2]


def write(path: Path, **changes: str) -> Path:
    path.mkdir(parents=True)
    facts = {"backend": "jax", "precision": "float32", "prior_shift": 1.0} | changes
    (path / "facts.json").write_text(json.dumps(facts))
    return path


def test_one_model_says_what_it_is_run_with(tmp_path):
    assert folder.runtime(write(tmp_path / "m")) == ("jax", "float32")


def test_several_models_agree(tmp_path):
    for fold in range(3):
        write(tmp_path / f"fold-{fold}", precision="mixed_bfloat16")

    assert folder.runtime(tmp_path) == ("jax", "mixed_bfloat16")


def test_models_that_differ_are_refused_and_named(tmp_path):
    write(tmp_path / "fold-0")
    write(tmp_path / "fold-1", backend="torch")

    with pytest.raises(InputError, match=r"fold-0/facts\.json: jax, float32\n.*torch, float32"):
        folder.runtime(tmp_path)


@pytest.mark.parametrize("facts", ["", "[]", "{}", "\xff"])
def test_facts_that_cannot_be_read_are_named(tmp_path, facts):
    (write(tmp_path / "m") / "facts.json").write_text(facts, encoding="latin-1")

    with pytest.raises(InputError, match=r"m/facts\.json must be the facts of a model"):
        folder.runtime(tmp_path / "m")


SCORE = """
import os, sys
from pathlib import Path
from skinlesion.scoring import folder
files = folder.Files(*map(Path, sys.argv[1:]))
try:
    folder.score(files, folder.Settings(8, "auto", False))
finally:
    print(os.environ.get("KERAS_BACKEND"), "tensorflow" in sys.modules, "keras" in sys.modules)
"""


def attempt(*paths: Path, **env: str) -> subprocess.CompletedProcess:
    """Score in a process of its own, that has not imported Keras."""
    given = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"}
    given |= {"PYTHONPATH": str(ROOT / "src")} | env
    line = [sys.executable, "-c", SCORE, *map(str, paths)]
    return subprocess.run(line, env=given, capture_output=True, text=True)


def test_the_backend_is_that_of_the_models_unless_the_variable_is_set(tmp_path):
    """One that is not installed, so that the attempt ends before anything slow is loaded."""
    model = write(tmp_path / "m", backend="no_backend")
    paths = (model, tmp_path / "a.csv", tmp_path / "b.hdf5", tmp_path / "out")
    theirs, ours = attempt(*paths), attempt(*paths, KERAS_BACKEND="no_other")

    assert theirs.stdout == "no_backend False False\n"
    assert "Got 'no_backend', which is not" in theirs.stderr
    assert ours.stdout == "no_other False False\n"
    assert (theirs.returncode, ours.returncode) == (1, 1)


def test_a_folder_that_cannot_be_written_is_an_error_before_anything_is_loaded(tmp_path):
    model = write(tmp_path / "m")
    ran = attempt(model, tmp_path / "a.csv", tmp_path / "b.hdf5", model / "facts.json" / "out")

    assert ran.stdout == "None False False\n"
    assert "NotADirectoryError" in ran.stderr


def test_tiles_that_no_stage_has_checked_are_rehearsed_before_the_models_are_loaded(
    tmp_path, monkeypatch
):
    """Damage to a file of this layout may crash the HDF5 library."""
    paths = write(tmp_path / "m"), tmp_path / "a.csv", tmp_path / "b.hdf5", tmp_path / "out"
    paths[1].write_text("isic_id\nISIC_1\n")
    with h5py.File(paths[2], "w", libver="latest") as file:
        file["ISIC_1"] = np.void(JPEG)
    monkeypatch.setenv("KERAS_BACKEND", keras.config.backend())
    monkeypatch.setattr("skinlesion.network.backend.start", lambda p: None)
    other = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    monkeypatch.setattr("skinlesion.dataset.rehearsal._OTHER", other)
    with pytest.raises(InputError, match=r"b\.hdf5 must be a whole HDF5 file\. .*SIGSEGV"):
        folder.score(folder.Files(*paths), folder.Settings(8, "auto", False))
