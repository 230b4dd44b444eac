"""training.distribution: devices and processes that train together end as one alone would.

The trainings are whole runs of the stage `train`: one process alone, two that share it out.
"""

import re
import shutil
from pathlib import Path

import h5py
import keras
import numpy as np
import pandas as pd
import pytest
from tests import test_stages, trainings
from tests.process import PATIENCE
from tests.test_stages import RAW, command, write_params
from tests.trainings import finished, hosts, start, written

from skinlesion import metrics
from skinlesion.dataset.sharding import WHOLE, Shard
from skinlesion.errors import InputError
from skinlesion.training import distribution

STILL = {name: {"rate": 0.0} for name in ("horizontal_flip", "vertical_flip", "quarter_turn")}
STILL |= {name: {"rate": 0.0, "max_change": 0.1} for name in ("brightness", "contrast")}
RECIPE = {"average_momentum": 0.9, "frozen_epochs": 1, "backbone_rate": 0.5}
SMALL = {"augment": STILL, "train": {"n_epochs": 3, "batch_size": 16} | RECIPE}
# A machine with two devices: TensorFlow takes one CPU for both. Runs the stage in each folder.
TWO_DEVICES = """
import os, runpy, sys
import tensorflow as tf

[cpu] = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
folders, sys.argv = sys.argv[1].split(","), sys.argv[2:]
for folder in folders:
    os.chdir(folder)
    runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture(scope="module")
def inputs(challenge, tmp_path_factory) -> Path:
    """A folder with all that `train` reads, with epochs of 32 draws; copy it only."""
    folder = trainings.prepare(challenge, tmp_path_factory.mktemp("inputs"), **SMALL)
    shorten(folder, 32)
    return folder


def shorten(folder: Path, n_drawn: int) -> None:
    """Leave so many draws to each epoch."""
    path = folder / "data/interim/draws/fold-0.csv"
    draws = pd.read_csv(path)
    draws.groupby("epoch").sample(n_drawn, random_state=0).to_csv(path, index=False)


def project(inputs: Path, folder: Path, **changes: dict) -> Path:
    shutil.copytree(inputs, folder)
    write_params(folder, **SMALL | changes)
    return folder


def weights(folder: Path) -> dict[str, np.ndarray]:
    found = {}
    with h5py.File(folder / "models/fold-0/network.weights.h5") as file:
        file.visititems(
            lambda name, of: found.update({name: of[()]}) if isinstance(of, h5py.Dataset) else None
        )
    return found


def curves(folder: Path) -> dict[str, list[float]]:
    paths = sorted((folder / "metrics/train/fold-0/plots/metrics").rglob("*.tsv"))
    assert len(paths) == 6
    return {f"{p.parent.name}/{p.stem}": pd.read_csv(p, sep="\t")[p.stem].tolist() for p in paths}


# === Processes, under JAX ===


@pytest.fixture(scope="module")
def jax(tmp_path_factory) -> dict[str, str]:
    """The environment of JAX: what one process has compiled, those after it need not."""
    folder = tmp_path_factory.mktemp("compiled")
    always = {"MIN_COMPILE_TIME_SECS": "0", "MIN_ENTRY_SIZE_BYTES": "-1"}
    return {
        "KERAS_BACKEND": "jax",
        "JAX_COMPILATION_CACHE_DIR": str(folder),
        **{f"JAX_PERSISTENT_CACHE_{name}": value for name, value in always.items()},
    }


@pytest.fixture(scope="module")
def trained(inputs, jax, tmp_path_factory):
    """Folders of one process and of two, and what each of the two printed."""
    folder = tmp_path_factory.mktemp("jax")
    alone, together = (
        project(inputs, folder / devices, keras={"backend": "jax", "devices": devices})
        for devices in ("one", "all")
    )
    processes = [start(alone, **jax), *(start(together, **jax, **of) for of in hosts(2))]
    _, *printed = map(finished, processes)
    return alone, together, printed


def test_two_processes_end_with_the_weights_of_one(trained):
    alone, together, _ = trained
    one, two = weights(alone), weights(together)

    assert one.keys() == two.keys()
    for name, value in one.items():
        # Adam takes a step of the whole learning rate, 2e-3, on a gradient that is all rounding.
        np.testing.assert_allclose(two[name], value, rtol=0, atol=5e-4, err_msg=name)


def test_two_processes_log_the_values_of_one(trained):
    alone, together, _ = trained
    one, two = curves(alone), curves(together)

    for name, values in one.items():
        np.testing.assert_allclose(two[name], values, atol=1e-3, err_msg=name)


def test_one_process_of_two_writes_and_speaks(trained):
    alone, together, printed = trained
    (said, bar), (nothing, no_bar) = printed

    assert written(together).keys() == written(alone).keys()
    assert list((together / "checkpoints").iterdir()) == []
    assert "fold 0: last epoch" in said
    assert "epoch   3/3" in said
    assert not [line for line in nothing.splitlines() if not line.startswith("[Gloo]")]
    assert "6/6" in bar
    assert no_bar == ""


def test_two_processes_that_were_killed_end_with_the_bytes_of_two_that_never_were(
    trained, inputs, jax, tmp_path
):
    _, never_killed, _ = trained
    folder = project(inputs, tmp_path / "all", keras={"backend": "jax", "devices": "all"})
    # In an epoch after the frozen one: the optimizer has moments.
    dying = ("-c", trainings.DYING, "logging", "2", "fold-0")
    first = [start(folder, *dying, **jax, **of) for of in hosts(2)]
    first[0].communicate(timeout=3 * PATIENCE)
    first[1].communicate(timeout=3 * PATIENCE)
    assert first[0].returncode == -9
    assert first[1].returncode != 0  # it alone cannot go on
    assert trainings.kept(folder) == [".npz"]

    trainings.remove_outs(folder)
    second = [start(folder, **jax, **of) for of in hosts(2)]
    (said, _), (nothing, _) = map(finished, second)

    assert "fold 0: resumes after epoch 2 of 3\n" in said
    assert "resumes" not in nothing
    assert written(folder) == written(never_killed)
    assert trainings.kept(folder) == []


def test_a_network_trained_under_jax_scores_alike_under_tensorflow(trained, keras_started):
    from tests import scorings

    from skinlesion.dataset import metadata, stores
    from skinlesion.dataset.fold_seed import FoldSeed
    from skinlesion.network import trained as models
    from skinlesion.scoring import lesions, predict, training_set

    folder = trained[0]
    network = models.load(folder / "models/fold-0")
    folds = metadata.read(folder / "data/interim/folds.csv")
    here = scorings.here(
        {FoldSeed(0): network}, stores.open_store(folder / RAW / "train-image.hdf5")
    )
    scored = training_set.score_fold(
        {FoldSeed(0): network},
        folds[folds["fold"] == 0],
        lesions.Source(folder / RAW / "train-metadata.csv", here),
        predict.Params(batch_size=32, engine="keras", strict=True),
        lesions.Selection("fold 0"),
    )
    score, expected = scored["score"], network.facts.validation

    assert network.facts.backend == "jax"
    assert metrics.auc(scored["target"], score) == pytest.approx(expected["validation/auc"])
    assert metrics.log_loss(scored["target"], np.log(score / (1 - score))) == pytest.approx(
        expected["validation/loss"], rel=1e-4
    )


# === Devices of one host, under TensorFlow ===

TABLE = {"backbone": "none", "tabular_units": [8], "tabular_dropout": 0.0}
N_ODD = 31  # draws, so that an epoch of two devices is filled up


@pytest.fixture(scope="module")
def mirrored(inputs, tmp_path_factory) -> Path:
    """A folder of folders, trained on two devices: with tiles twice, and by the table alone."""
    folder = tmp_path_factory.mktemp("mirrored")
    names, every = ("tiles", "again", "table"), {"keras": {"devices": "all"}}
    for name in names[:2]:
        project(inputs, folder / name, **every, augment={"horizontal_flip": {"rate": 0.5}})
    shorten(project(inputs, folder / "table", **every, model=TABLE), N_ODD)
    folders = ",".join(str(folder / name) for name in names)
    finished(start(folder, "-c", TWO_DEVICES, folders))
    return folder


def test_two_devices_give_the_same_weights_twice(mirrored):
    once, again = (weights(mirrored / name) for name in ("tiles", "again"))

    assert once.keys() == again.keys()
    assert all(np.array_equal(once[name], again[name]) for name in once)
    assert curves(mirrored / "tiles") == curves(mirrored / "again")


def test_two_devices_end_with_the_weights_of_one(mirrored, inputs, tmp_path, monkeypatch):
    """But for dropout and batch normalisation, which a network like this has not."""
    folder = project(inputs, tmp_path / "one", model=TABLE)
    shorten(folder, N_ODD)
    monkeypatch.chdir(folder)
    test_stages.run("train", *command("train"))
    one, two = weights(folder), weights(mirrored / "table")

    for name, value in one.items():
        np.testing.assert_allclose(two[name], value, rtol=0, atol=1e-5, err_msg=name)


# === One device ===


def test_one_device_changes_nothing(keras_started):
    assert distribution.start("one") == WHOLE
    assert distribution.current() == WHOLE
    assert keras.distribution.distribution() is None


def test_alone_a_network_scores_itself(keras_started):
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])

    assert distribution.scorer(network)() == network.predict_on_batch


# === Refusals ===


def test_processes_that_found_different_things_all_stop(monkeypatch):
    monkeypatch.setattr(distribution, "_everyone", lambda text: [text, "after epoch 3"])
    expected = "must agree. Got process 0: after epoch 2; process 1: after epoch 3."
    with pytest.raises(InputError, match=re.escape(expected)):
        distribution.require_same("after epoch 2", "agree")


def test_one_process_agrees_with_itself():
    distribution.require_same("after epoch 2", "agree")


def refusal(monkeypatch, *said: str) -> str:
    monkeypatch.setattr(distribution, "_everyone", lambda text: list(said))
    with pytest.raises(InputError) as caught:
        distribution.require_same(said[0], "agree")
    return str(caught.value)


def test_processes_that_found_the_same_are_named_together(monkeypatch):
    said = refusal(monkeypatch, *["a", "b", "a", "c"], *["b"] * 8)

    assert said.endswith("Got process 0, 2: a; process 1, 4, 5, 6, 7 and 4 more: b; process 3: c.")


def test_long_texts_are_shown_where_they_begin_to_differ(monkeypatch):
    head, tail = "h" * 900, "t" * 900
    said = refusal(monkeypatch, f"{head} seed 1, {tail}", f"{head} seed 2, {tail}", head)

    assert re.search(r"process 0: …h{30,40} seed 1, t{100,}…; process 1: …h+ seed 2, t+…;", said)
    assert len(said) < 700


@pytest.mark.parametrize("text", ["x" * distribution.N_BYTES, "é" * (distribution.N_BYTES // 2)])
def test_all_of_a_text_reaches_every_process(monkeypatch, text):
    monkeypatch.setattr(distribution, "current", lambda: Shard(2, 2, 0))
    monkeypatch.setattr(distribution, "_gathered", lambda array: np.stack([array, array]))

    assert distribution._everyone(text) == [text, text]


@pytest.mark.parametrize("text", ["x" * 2_001, "é" * 1_001])
def test_a_text_that_would_not_reach_them_is_an_error_in_one_process_too(text):
    with pytest.raises(ValueError, match="at most 2000 bytes"):
        distribution.require_same(text, "agree")


SET = {"JOB_ADDRESSES": "10.0.0.1:1234", "NUM_PROCESSES": "2", "PROCESS_ID": "1"}
BAD = {
    "an id that is not set": (
        {"PROCESS_ID": None},
        "PROCESS_ID must be a whole number from 0 to 1. It is not",
    ),
    "no address": (
        {"JOB_ADDRESSES": None},
        "JOB_ADDRESSES must be HOST:PORT of process 0, or of each of 2",
    ),
    "an id past the last": ({"PROCESS_ID": "2"}, "from 0 to 1. Got '2' instead"),
    "an id that is no number": ({"PROCESS_ID": "$SLURM_PROCID"}, "Got '$SLURM_PROCID' instead"),
    "no process": ({"NUM_PROCESSES": "0"}, "from 1 to 10000. Got '0' instead"),
    "an address without a port": ({"JOB_ADDRESSES": "10.0.0.1"}, "must be HOST:PORT of process 0"),
    "too many addresses": ({"JOB_ADDRESSES": "a:1,b:1,c:1"}, "each of 2 with commas"),
}


@pytest.fixture
def named(monkeypatch):
    """Set the environment of a process; nothing is started."""
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    monkeypatch.setattr(keras.distribution, "initialize", None)  # cannot be called

    def put(**changes: str | None) -> None:
        for name, value in (SET | changes).items():
            if value is not None:
                monkeypatch.setenv(f"KERAS_DISTRIBUTION_{name}", value)

    return put


@pytest.mark.parametrize("bad", BAD)
def test_hosts_that_are_named_falsely_are_refused(named, bad):
    changes, expected = BAD[bad]
    named(**changes)
    with pytest.raises(InputError, match=re.escape(expected)):
        distribution.start("all")


@pytest.mark.parametrize(("devices", "backend"), [("one", "jax"), ("all", "tensorflow")])
def test_hosts_where_each_would_train_alone_are_refused(named, monkeypatch, devices, backend):
    named()
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    expected = (
        rf"must have devices: all and backend: jax\. Got devices: {devices} and backend: {backend}"
    )
    with pytest.raises(InputError, match=expected):
        distribution.start(devices)
