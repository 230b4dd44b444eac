"""scoring.engine: another way to the same logits."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.errors import InputError
from skinlesion.network import model, trained
from skinlesion.scoring import engine

ONE = FoldSeed(3)
pytestmark = pytest.mark.usefixtures("keras_started")

BRANCHES = [
    *({}, {"n_features": 0}, {"backbone": "none"}, {"imagenet_input": True}),
    {"pooled_stages": [1, 3], "pool_sigma": 0.3},
]


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


def prepared(logits, name: str, *, features: bool = False):
    """What runs the inputs of any number of lesions on an engine."""
    px = SimpleNamespace(model=SimpleNamespace(backbone="tiny", image_px=32))
    facts = SimpleNamespace(prior_shift=0.0)
    m = trained.Trained(logits, encoder=None, architecture=px, facts=facts)
    run = engine.prepared({ONE: m}, name, features_of=ONE if features else None)[ONE].run
    return lambda inputs: run(inputs, len(next(iter(inputs.values()))))


@pytest.mark.parametrize("changes", BRANCHES)
def test_the_logits_are_those_of_keras(network, changes):
    logits = network(**changes)
    inputs = inputs_of(logits, 40)
    expected = logits.predict_on_batch(inputs)
    found = prepared(logits, "litert")(inputs)

    assert np.ptp(expected) > 1e-3 * abs(expected).max()
    assert (found.shape, found.dtype) == ((40, 1), np.float32)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_lesion_has_the_same_bits_in_any_batch_on_any_number_of_threads(network, monkeypatch):
    logits = network()
    inputs = inputs_of(logits, 70)
    found = []
    for n_threads in (1, 2, 5):
        monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", str(n_threads))
        run = prepared(logits, "litert")
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

    assert prepared(logits, "litert")(inputs_of(logits, 0)).shape == (0, 1)


@pytest.mark.parametrize("name", ["keras", "litert"])
def test_pooled_features_stand_behind_the_logit_which_keeps_its_bits(network, name):
    logits = network()
    given = inputs_of(logits, 5)
    alone, both = (prepared(logits, name, features=of)(given) for of in (False, True))
    pool = keras.Model(logits.input, logits.get_layer("image_pool").output)

    np.testing.assert_array_equal(both[:, :1], alone)
    np.testing.assert_allclose(both[:, 1:], pool.predict_on_batch(given), rtol=1e-4, atol=1e-5)


def test_keras_runs_a_batch_as_it_is_and_gives_the_lesions_that_are_in_it(network):
    logits = network()
    given = inputs_of(logits, 6)
    found = engine.on_keras(logits)({**given, "more": None}, 4)

    np.testing.assert_array_equal(found, logits.predict_on_batch(given)[:4])


def chosen(logits, monkeypatch) -> str:
    """The engine that "auto" takes."""
    asked = []
    for name in ("on_keras", "on_litert"):
        monkeypatch.setattr(engine, name, lambda model, name=name: asked.append(name))
    prepared(logits, "auto")
    return asked[0]


def test_on_a_processor_in_float32_the_fast_engine_is_chosen(network, monkeypatch):
    assert chosen(network(backbone="none"), monkeypatch) == "on_litert"


@pytest.mark.parametrize("what", ["GPU", "precision", "backend"])
def test_what_litert_cannot_run_or_only_slower_is_left_to_keras(network, monkeypatch, what):
    logits = network(backbone="none")
    if what == "GPU":
        monkeypatch.setattr("tensorflow.config.get_visible_devices", lambda kind: [kind])
    elsewhere(monkeypatch, what)

    assert chosen(logits, monkeypatch) == "on_keras"


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
engine.on_litert(keras.Model({"image": tile}, found))
"""


def test_converting_writes_nothing():
    paths = {"PYTHONPATH": str(Path(engine.__file__).parents[2]), "TF_CPP_MIN_LOG_LEVEL": "2"}
    command = [sys.executable, "-c", SILENT]
    ran = subprocess.run(command, env=os.environ | paths, capture_output=True, text=True)

    assert (ran.stdout, ran.stderr, ran.returncode) == ("", "", 0)
