"""training.run: a run has the name of all that decides it, and leaves a model that can score."""

from pathlib import Path

import numpy as np
import pytest
from tests.augmentations import augmentation
from tests.recipes import params
from tests.training.test_fold import paths  # noqa: F401 (a fixture)

from skinlesion.errors import InputError
from skinlesion.network import backend, trained
from skinlesion.training import checkpoint, distribution, run, settings
from skinlesion.training.fold import Files

KERAS = backend.Params(backend="tensorflow", precision="float32", seed=0)


@pytest.fixture
def start(paths, architecture, monkeypatch, tmp_path):  # noqa: F811
    """Start a run of fold 0 on a table alone, with changes of the block `train`."""
    (tmp_path / "tiles.hdf5").write_bytes(b"is hashed, and not read")
    monkeypatch.chdir(tmp_path)

    def make(**changes) -> run.Run:
        backend.start(KERAS)
        p = settings.Settings(
            keras=KERAS,
            model=architecture(backbone="none").model,
            augment=augmentation(),
            train=params(**changes),
        )
        files = Files(*paths, images=tmp_path / "tiles.hdf5")
        return run.start(0, files, p, script=Path(__file__), say=print)

    return make


def test_the_same_run_has_the_same_name_and_first_weights_and_another_has_not(start):
    one, same, other = start(), start(), start(seed=5)

    assert one.kept.key == same.kept.key != other.kept.key
    for a, b in zip(one.network.get_weights(), same.network.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_is_saved_scores_and_says_what_it_was_made_from(start, tmp_path):
    found = start()
    best = checkpoint.Best(2, {"validation/pauc": 0.1, "validation/auc": 0.9}, [])
    found.kept.folder.mkdir()
    left = found.kept.folder / f"{found.kept.key}.npz"
    left.touch()
    found.save(tmp_path / "model", best)
    model = trained.load(tmp_path / "model")

    assert model.facts.best_epoch == 2
    assert model.facts.prior_shift == 0.5
    assert str(tmp_path / "tiles.hdf5") in model.facts.inputs_md5
    assert model.encoder == found.data.encoder
    assert not left.exists()


def test_processes_that_differ_are_told_apart_before_anything_is_trained(start, monkeypatch):
    def differ(text: str, must: str) -> None:
        raise InputError(f"all processes must {must}.")

    monkeypatch.setattr(distribution, "require_same", differ)
    with pytest.raises(InputError, match="all processes must agree on code"):
        start()
