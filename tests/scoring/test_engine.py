"""scoring.engine: another way to the same logits."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from skinlesion.dataset import batches
from skinlesion.errors import InputError
from skinlesion.network import model, trained
from skinlesion.scoring import engine

pytestmark = pytest.mark.usefixtures("keras_started")

BRANCHES = [{}, {"n_features": 0}, {"backbone": "none"}, {"imagenet_input": True}]


@pytest.fixture
def network(architecture):
    """Make a network up to its logit, whose batch normalisations have something to do."""

    def make(**changes):
        network, rng = model.build(architecture(**changes)), np.random.default_rng(0)
        network.set_weights([rng.uniform(0.1, 0.6, w.shape) for w in network.get_weights()])
        return model.logits_of(network)

    return make


def inputs_of(logits, n: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    image = rng.integers(0, 256, (n, 32, 32, 3), np.uint8)
    found = {"image": image, "tabular": rng.normal(size=(n, 2)).astype(np.float32)}
    return {name: found[name] for name in logits.input}


def prepared(logits, name: str):
    m = trained.Trained(logits, encoder=None, architecture=None, facts=None)
    return engine.prepared({3: m}, name)[3].logits


@pytest.mark.parametrize("changes", BRANCHES)
def test_the_logits_are_those_of_keras(network, changes):
    logits = network(**changes)
    inputs = inputs_of(logits, 40)
    expected = logits.predict_on_batch(inputs)
    found = prepared(logits, "litert").predict_on_batch(inputs)

    assert np.ptp(expected) > 1e-3 * abs(expected).max()
    assert (found.shape, found.dtype) == ((40, 1), np.float32)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_lesion_has_the_same_bits_in_any_batch_on_any_number_of_threads(network, monkeypatch):
    logits = network()
    inputs = inputs_of(logits, 70)
    found = []
    for n_threads in (1, 2, 5):
        monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", str(n_threads))
        run = prepared(logits, "litert").predict_on_batch
        parts = [slice(0, 1), slice(1, 34), slice(34, 70)]
        found += [run(inputs), run(inputs)]
        found.append(np.concatenate([run({k: v[p] for k, v in inputs.items()}) for p in parts]))

    assert all(np.array_equal(other, found[0]) for other in found[1:])


def test_it_leaves_processors_to_other_processes(network, monkeypatch):
    from ai_edge_litert import interpreter

    asked, make = [], interpreter.Interpreter

    def record(*, num_threads: int, **given):
        asked.append(num_threads)
        return make(**given)

    monkeypatch.setattr(interpreter, "Interpreter", record)
    monkeypatch.setattr("skinlesion.dataset.threads.n_threads", lambda: 3)
    prepared(network(), "litert")

    assert asked == [3]


def test_no_lesions_have_no_logits(network):
    logits = network()

    assert prepared(logits, "litert").predict_on_batch(inputs_of(logits, 0)).shape == (0, 1)


def test_an_unreadable_tile_has_no_logit_on_any_engine(network, solid_tiles):
    ids = np.array([f"ISIC_{i}" for i in range(5)])
    tiles = solid_tiles({isic_id: 30 for isic_id in ids if isic_id != "ISIC_2"})
    lesions = batches.Lesions(ids, np.zeros((5, 2), np.float32), tiles, image_px=32)
    run = prepared(network(), "litert").predict_on_batch
    found, _ = model.apply(run, lesions, batch_size=4, strict=False)

    assert np.isnan(found).tolist() == [False, False, True, False, False]


def test_keras_runs_a_network_as_it_is(network):
    logits = network()

    assert prepared(logits, "keras") is logits


def test_on_a_processor_in_float32_the_fast_engine_is_chosen(network):
    assert isinstance(prepared(network(backbone="none"), "auto"), engine.LiteRT)


@pytest.mark.parametrize("what", ["GPU", "precision", "backend"])
def test_what_litert_cannot_run_or_only_slower_is_left_to_keras(network, monkeypatch, what):
    logits = network(backbone="none")
    if what == "GPU":
        monkeypatch.setattr("tensorflow.config.get_visible_devices", lambda kind: [kind])
    elsewhere(monkeypatch, what)

    assert prepared(logits, "auto") is logits


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("backend", r"must be keras where keras\.backend is jax\. Got 'litert'"),
        ("precision", r"must be keras where keras\.precision is mixed_bfloat16\. Got 'litert'"),
        ("package", r"must be installed\. Got 'litert', which is not: pip install ai-edge-litert"),
    ],
)
def test_an_engine_that_cannot_serve_says_why(network, monkeypatch, what, expected):
    logits = network(backbone="none")
    elsewhere(monkeypatch, what)
    with pytest.raises(InputError, match=r"predict\.engine " + expected):
        prepared(logits, "litert")


def elsewhere(monkeypatch, what: str) -> None:
    if what == "backend":
        monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    if what == "precision":
        policy = type("Policy", (), {"name": "mixed_bfloat16"})
        monkeypatch.setattr("keras.config.dtype_policy", policy)
    if what == "package":
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)


SILENT = """
from skinlesion.network import backend
backend.start(backend.Params(backend="tensorflow", precision="float32", seed=0))
import keras
from skinlesion.scoring import engine
tile = keras.Input((8, 8, 3), name="image")
found = keras.layers.Dense(1)(keras.layers.Flatten()(keras.layers.Conv2D(4, 3)(tile)))
engine.LiteRT(keras.Model({"image": tile}, found))
"""


def test_converting_writes_nothing():
    paths = {"PYTHONPATH": str(Path(engine.__file__).parents[2]), "TF_CPP_MIN_LOG_LEVEL": "2"}
    command = [sys.executable, "-c", SILENT]
    ran = subprocess.run(command, env=os.environ | paths, capture_output=True, text=True)

    assert (ran.stdout, ran.stderr, ran.returncode) == ("", "", 0)
