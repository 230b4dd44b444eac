"""training.checkpoint: what is kept is whole, plain and one training's own."""

import errno
import os
from dataclasses import replace

import keras
import numpy as np
import pytest
from tests.process import changed

from skinlesion.dataset import atomic
from skinlesion.network import model
from skinlesion.training import checkpoint

pytestmark = pytest.mark.usefixtures("keras_started")

VALUES = {"train/loss": 0.1 + 0.2, "validation/pauc": 1 / 7}


@pytest.fixture
def logits(architecture):
    """Make a network with dropout whose state, its optimizer's too, is another each time."""
    rng = np.random.default_rng(0)

    def make() -> keras.Model:
        network = model.build(architecture(backbone="none", tabular_dropout=0.5))
        compiled = model.logits_of(network)
        compiled.compile(keras.optimizers.AdamW(1e-2), "mse")
        compiled.optimizer.build(compiled.trainable_variables)
        for variable in compiled.optimizer.variables:
            variable.assign(rng.integers(1, 100, variable.shape))
        return compiled

    return make


@pytest.fixture
def kept(tmp_path):
    """A checkpoint that lists what it says."""
    said: list[str] = []
    return checkpoint.Checkpoint(tmp_path / "kept", "abc", said.append), said


@pytest.fixture
def after_two(logits):
    """A network, and the progress of two epochs, the first of which was better."""
    network = logits()
    progress = checkpoint.Progress().after(VALUES, network)
    return network, progress.after(VALUES | {"train/loss": 0.05}, network)


def state(network: keras.Model) -> list[np.ndarray]:
    variables = [*network.variables, *network.optimizer.variables]
    return [keras.ops.convert_to_numpy(variable) for variable in variables]


def equal(one: list[np.ndarray], two: list[np.ndarray]) -> bool:
    return all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(one, two, strict=True))


def names(kept: checkpoint.Checkpoint) -> list[str]:
    return sorted(path.name for path in kept.folder.iterdir())


# === There and back ===


def test_what_was_saved_is_restored_to_the_bit(kept, logits, after_two):
    kept, said = kept
    network, progress = after_two
    other = logits()
    assert not equal(state(other), state(network))
    kept.save(progress, network)
    found = kept.restore(other)

    assert equal(state(other), state(network))
    assert found.logged == progress.logged
    assert (found.best.epoch, found.best.values) == (0, VALUES)
    assert equal(found.best.weights, progress.best.weights)
    assert said == []


def test_the_generators_of_dropout_are_part_of_the_state(kept, logits, after_two):
    kept, _ = kept
    network, progress = after_two
    kept.save(progress, network)
    other = logits()
    kept.restore(other)
    inputs = {"tabular": np.ones((8, 2), np.float32)}
    dropped = [np.asarray(n(inputs, training=True)) for n in (network, other)]

    assert np.array_equal(*dropped)
    assert not np.array_equal(dropped[0], np.asarray(network(inputs, training=True)))


def test_an_optimizer_that_has_made_no_step_yet_is_restored(kept, logits, after_two):
    kept, _ = kept
    network, progress = after_two
    kept.save(progress, network)
    other = logits()
    other.compile(keras.optimizers.AdamW(1e-2), "mse")
    kept.restore(other)

    assert equal(state(other), state(network))


def test_nothing_is_restored_where_nothing_was_kept(kept, logits):
    kept, said = kept
    network = logits()
    before = state(network)

    assert kept.restore(network) is None
    assert equal(state(network), before)
    assert said == []


def test_the_earliest_of_equal_epochs_is_the_best(after_two):
    network, progress = after_two
    better = progress.after(VALUES | {"validation/pauc": 0.15}, network)

    assert progress.best.epoch == 0
    assert better.best.epoch == 2
    assert len(better.logged) == 3


def test_the_file_holds_plain_arrays_and_no_pickle(kept, after_two):
    kept, _ = kept
    kept.save(after_two[1], after_two[0])
    with np.load(kept.folder / "abc.npz", allow_pickle=False) as arrays:
        kinds = {arrays[name].dtype.kind for name in arrays}

    assert kinds <= set("fiuU")


def test_the_same_progress_is_the_same_bytes(kept, after_two):
    kept, _ = kept
    kept.save(after_two[1], after_two[0])
    first = (kept.folder / "abc.npz").read_bytes()
    kept.save(after_two[1], after_two[0])

    assert (kept.folder / "abc.npz").read_bytes() == first


def test_only_the_own_files_are_removed(kept, after_two):
    kept, said = kept
    other = replace(kept, key="def")
    for one in (kept, other):
        one.save(after_two[1], after_two[0])
        (kept.folder / f"{one.key}-of-a-killed-process.part").write_bytes(b"half")
    kept.remove()

    assert names(kept) == ["def-of-a-killed-process.part", "def.npz"]
    kept.remove()  # again: there is nothing
    assert said == []


# === Damage ===


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_file_that_was_cut_off_is_told_of_and_not_used(kept, after_two, share):
    kept, said = kept
    network, progress = after_two
    kept.save(progress, network)
    path, before = kept.folder / "abc.npz", state(network)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])

    assert kept.restore(network) is None
    assert said == [f"{path} is damaged. Training starts from the beginning."]
    assert equal(state(network), before)


def test_any_changed_byte_is_noticed(kept, after_two):
    kept, said = kept
    network, progress = after_two
    kept.save(progress, network)
    path = kept.folder / "abc.npz"
    content = path.read_bytes()
    places = range(0, len(content), len(content) // 50)
    for place in [*places, len(content) - 1]:
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert kept.restore(network) is None, place

    assert len(said) == len(places) + 1
    path.write_bytes(content)
    assert kept.restore(network) is not None


def test_a_file_that_cannot_be_read_is_told_of(kept, logits):
    kept, said = kept
    (kept.folder / "abc.npz").mkdir(parents=True)

    assert kept.restore(logits()) is None
    assert len(said) == 1
    assert "abc.npz cannot be read" in said[0]


# === A full disk ===


@pytest.mark.parametrize("code", [errno.EFBIG, errno.ENOSPC])
def test_a_full_disk_is_told_of_and_costs_nothing_that_was_kept(
    kept, logits, after_two, monkeypatch, code
):
    """What a disk does that takes half of a file: test_atomic.py."""

    def fsync(_: int) -> None:
        raise OSError(code, os.strerror(code))

    kept, said = kept
    network, progress = after_two
    kept.save(progress, network)
    before = (kept.folder / "abc.npz").read_bytes()
    monkeypatch.setattr(atomic, "os", changed(os, fsync=fsync))
    kept.save(progress.after(VALUES, network), logits())

    assert len(said) == 1
    assert said[0].startswith("epoch 3 is not kept ([Errno ")
    assert os.strerror(code) in said[0]
    assert names(kept) == ["abc.npz"]  # what was written of the new one makes room
    assert (kept.folder / "abc.npz").read_bytes() == before


def test_a_folder_that_cannot_be_made_is_told_of(kept, after_two):
    kept, said = kept
    kept.folder.write_text("a file")
    kept.save(after_two[1], after_two[0])

    assert len(said) == 1
    assert "epoch 2 is not kept" in said[0]


# === Two at once ===


@pytest.fixture
def meanwhile(monkeypatch):
    """Have another process do something between the writing of a file and its naming."""

    def arrange(action) -> None:
        def late(*paths) -> None:
            monkeypatch.setattr(atomic, "os", os)
            action()
            os.replace(*paths)

        monkeypatch.setattr(atomic, "os", changed(os, replace=late))

    return arrange


def test_two_processes_may_save_the_same_training_at_once(kept, after_two, meanwhile):
    kept, said = kept
    network, progress = after_two
    meanwhile(lambda: kept.save(progress, network))
    kept.save(progress, network)

    assert kept.restore(network).logged == progress.logged
    assert names(kept) == ["abc.npz"]
    assert said == []


def test_a_training_goes_on_when_another_process_has_ended_the_same(kept, after_two, meanwhile):
    kept, said = kept
    network, progress = after_two
    meanwhile(kept.remove)
    kept.save(progress, network)

    assert len(said) == 1
    assert names(kept) == []
    kept.save(progress, network)
    assert names(kept) == ["abc.npz"]
