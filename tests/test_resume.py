"""Stage `train`, killed and run again: the same bytes, and never on another training's."""

import json
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from tests import test_stages, trainings
from tests.test_stages import RAW, command, write_params
from tests.trainings import finished, kept, written

SMALL = {
    "model": {"backbone": "none", "tabular_units": [8]},
    "train": {"n_epochs": 3, "n_seeds": 2},
    "resample": {"n_planned_epochs": 2},
}


@pytest.fixture(scope="module")
def inputs(challenge, tmp_path_factory) -> Path:
    """A folder with all that `train` reads; copy it only."""
    return trainings.prepare(challenge, tmp_path_factory.mktemp("inputs"), **SMALL)


@pytest.fixture
def folder(inputs, tmp_path) -> Path:
    return shutil.copytree(inputs, tmp_path / "project")


# === Killed ===


def start(
    folder: Path, how: str = "never", epoch: int = 0, log: str = "fold-0"
) -> subprocess.Popen:
    """Start the stage as DVC does, which removes its outs first."""
    trainings.remove_outs(folder)
    return trainings.start(folder, "-c", trainings.DYING, how, str(epoch), log)


def test_a_stage_killed_twice_ends_with_the_bytes_of_one_that_never_was(inputs, tmp_path):
    folder, other = (shutil.copytree(inputs, tmp_path / name) for name in ("killed", "not"))
    never_killed = start(other)

    first = start(folder, "logging", epoch=1)
    assert "resumes" not in first.communicate()[0]
    assert first.returncode == -9
    assert kept(folder) == [".npz"]

    second = start(folder, "writing", epoch=1, log="seed-1")
    assert "fold 0: resumes after epoch 1 of 3\n" in second.communicate()[0]
    assert second.returncode < 0
    # The first seed's of its last epoch; of the second, that of epoch 1, and half of epoch 2.
    assert kept(folder) == [".npz", ".npz", ".part"]

    third = finished(start(folder))[0]
    assert "fold 0: resumes after epoch 3 of 3\n" in third
    assert "fold 0, seed 1: resumes after epoch 1 of 3\n" in third
    assert kept(folder) == []

    finished(never_killed)
    assert written(folder) == written(other)
    assert len(written(folder)) == 2 * 11
    assert kept(other) == []


# === Which training ===


class StopError(Exception):
    """Instead of a training."""


@pytest.fixture
def key(monkeypatch, keras_started):
    """Find the key under which the stage would keep its training."""
    from skinlesion.training import checkpoint

    def find(folder: Path, fold: str = "0") -> str:
        def restore(self, *_) -> None:
            raise StopError(self.key)

        monkeypatch.setattr(checkpoint.Checkpoint, "restore", restore)
        monkeypatch.chdir(folder)
        with pytest.raises(StopError) as caught:
            test_stages.run("train", fold, *command("train")[1:])
        return str(caught.value)

    return find


def edited(block: str, **changes):
    return lambda folder: write_params(folder, **SMALL | {block: SMALL.get(block, {}) | changes})


def rewritten(path: str, change):
    return lambda folder: (folder / path).write_text(change((folder / path).read_text()))


def other_features(folder: Path) -> None:
    path = folder / "data/processed/fold-0/tabular.parquet"
    table = pd.read_parquet(path)
    table.iloc[0, table.columns.get_loc("age_approx")] += 1
    table.to_parquet(path)


OTHERS = {
    "the seed of the order": edited("train", seed=5),
    "the number of epochs": edited("train", n_epochs=5),
    "the patience": edited("train", early_stopping_patience=3, select="best"),
    "the seed of the weights": edited("keras", seed=8),
    "the architecture": edited("model", tabular_dropout=0.1),
    "the augmentation": edited("augment", horizontal_flip={"rate": 0.4}),
    "the draws": rewritten(
        "data/interim/draws/fold-0.csv", lambda s: "".join(s.splitlines(True)[:-1])
    ),
    "the folds": rewritten("data/interim/folds.csv", lambda s: s + "\n"),
    "the prior": rewritten(
        "data/interim/draws/fold-0.json",
        lambda s: json.dumps(json.loads(s) | {"prior_shift": 0.125}),
    ),
    "the features": other_features,
    "the tiles": lambda folder: (folder / RAW / "train-image.hdf5").write_bytes(b"others"),
}


def test_the_same_training_has_one_key_in_every_folder(inputs, tmp_path, key):
    folders = [shutil.copytree(inputs, tmp_path / name) for name in ("one", "two")]
    write_params(folders[1], **SMALL, evaluate={"top_k": 5})  # a block of another stage

    assert key(folders[0]) == key(folders[1])


@pytest.mark.parametrize("other", OTHERS)
def test_another_training_never_resumes_from_it(folder, key, other):
    before = key(folder)
    OTHERS[other](folder)

    assert key(folder) != before


def test_another_fold_never_resumes_from_it(folder, key):
    assert key(folder, "0") != key(folder, "1")


@pytest.mark.parametrize("place", [".", ".dvc/tmp/exps/tmp1x2", ".dvc/tmp/exps/tmp3y4"])
def test_every_attempt_at_an_experiment_looks_in_the_same_place(
    inputs, tmp_path, monkeypatch, keras_started, place
):
    from skinlesion.training import checkpoint

    def restore(self, *_) -> None:
        raise StopError(self.folder)

    monkeypatch.setattr(checkpoint.Checkpoint, "restore", restore)
    monkeypatch.chdir(shutil.copytree(inputs, tmp_path / "project" / place))
    with pytest.raises(StopError) as caught:
        test_stages.run("train", *command("train"))

    assert caught.value.args == (tmp_path / "project" / "checkpoints",)
