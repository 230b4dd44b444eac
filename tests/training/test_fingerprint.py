"""training.fingerprint: whatever may change a bit changes the name, and nothing else does."""

import os
import sys
from importlib.metadata import version
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from tests.process import changed

from skinlesion.dataset import threads
from skinlesion.network import identity, model
from skinlesion.training import fingerprint

pytestmark = pytest.mark.usefixtures("keras_started")


# === The key ===


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "train.py"
    path.write_text("print()")
    return path


@pytest.fixture
def network(architecture):
    return model.build(architecture(backbone="none", tabular_dropout=0.5))


@pytest.fixture
def key(script, network, architecture):
    """Make the key of one training; the same each time, until something is changed."""

    def make(script=script, network=network, **changes) -> str:
        given = {"inputs": {"a.csv": "0"}, "fold": "0", "model": architecture().model} | changes
        return fingerprint.key(fingerprint.parts(script, **given), network)

    return make


def test_the_same_training_has_the_same_key_wherever_its_script_lies(key, script):
    moved = script.parent / "elsewhere" / script.name
    moved.parent.mkdir()
    moved.write_bytes(script.read_bytes())

    assert key() == key(script=moved)
    assert len(key()) == 32


def test_whatever_is_given_decides_the_key(key, architecture):
    block = architecture().model
    others = [
        key(inputs={"a.csv": "1"}),
        key(inputs={"b.csv": "0"}),
        key(fold="1"),
        key(more="more"),
        key(network=None),
    ]
    for image_dropout in (0.1, 0.2):
        others.append(key(model=block.model_copy(update={"image_dropout": image_dropout})))

    assert len({key(), *others}) == 8


def test_the_script_decides_the_key(key, script):
    before = key()
    script.write_text("print(1)")

    assert key() != before


def test_the_version_of_each_package_that_makes_pixels_or_scores_decides_the_key(key, monkeypatch):
    found = {key()}
    for package in identity.versions():
        monkeypatch.setattr(identity, "version", lambda name, of=package: f"{name == of}")
        found.add(key())
    packages = {"keras", "keras-cv", "tensorflow", "ai-edge-litert", "pillow", "simplejpeg"}

    assert identity.versions().keys() >= packages
    assert len(found) == 1 + len(identity.versions())


def test_every_loaded_module_of_the_package_decides_the_key(key, tmp_path, monkeypatch):
    module = ModuleType("skinlesion.another")
    module.__file__ = str(tmp_path / "another.py")
    found = {key()}
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for text in ("1", "2"):
        Path(module.__file__).write_text(text)
        found.add(key())

    assert len(found) == 3


@pytest.mark.parametrize(
    "of",
    [lambda n: n.get_layer("logit").bias, lambda n: n.get_layer("tabular_dropout_0").variables[0]],
    ids=["weights", "generators of dropout"],
)
def test_what_the_network_starts_with_decides_the_key(key, network, of):
    before, variable = key(), of(network)
    variable.assign(variable + 1)

    assert key() != before


@pytest.mark.parametrize("name", ["OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"])
def test_the_number_of_threads_decides_the_key(key, monkeypatch, name):
    before = key()
    monkeypatch.setenv(name, "7")

    assert key() != before


def test_the_number_of_processors_decides_the_key(key, monkeypatch):
    found = set()
    for cpus in ({0, 1}, {0, 1, 2}):
        one = changed(os, sched_getaffinity=lambda _, cpus=cpus: cpus)
        monkeypatch.setattr(threads, "os", one)
        found.add(key())
    macos = changed(os, sched_getaffinity=None, cpu_count=lambda: 2)
    monkeypatch.setattr(threads, "os", macos)

    assert len(found) == 2
    assert key() in found


@pytest.fixture
def cpuinfo(monkeypatch, tmp_path):
    """Set what Linux says of the processor; before, it is another system."""
    path = tmp_path / "cpuinfo"
    monkeypatch.setattr(identity, "_CPUINFO", path)
    return path.write_text


def test_the_kind_of_processor_decides_the_key(key, cpuinfo):
    found = []
    cpu = "processor\t: {}\nmodel name\t: {}\ncpu MHz\t: {}\nflags\t\t: {}\n\n"
    for core, name, speed, flags in (
        (0, "A", 1, "avx avx2"),
        (0, "A", 1, "avx avx2 avx512f"),
        (0, "B", 1, "avx avx2"),
        (1, "A", 2, "avx2 avx"),  # as the first: it may run at any speed
    ):
        cpuinfo(cpu.format(core, name, speed, flags) + cpu.format(7, "C", speed, "sse"))
        found.append(key())

    assert len(set(found)) == 3
    assert found[-1] == found[0]


def test_another_system_names_its_processor_otherwise(key, monkeypatch, cpuinfo):
    before = key()
    monkeypatch.setattr("platform.processor", lambda: "another")

    assert key() != before


@pytest.fixture
def jax_devices(monkeypatch):
    jax = ModuleType("jax")
    monkeypatch.setitem(sys.modules, "jax", jax)

    def listed(names: list[str]) -> None:
        jax.devices = lambda: [SimpleNamespace(device_kind=name) for name in names]

    return listed


@pytest.fixture
def torch_devices(monkeypatch):
    torch = ModuleType("torch")
    monkeypatch.setitem(sys.modules, "torch", torch)

    def listed(names: list[str]) -> None:
        of = {"device_count": names.__len__, "get_device_name": names.__getitem__}
        torch.cuda = SimpleNamespace(**of)

    return listed


@pytest.fixture
def tensorflow_devices(monkeypatch):
    def listed(names: list[str]) -> None:
        monkeypatch.setattr(identity.tf.config, "get_visible_devices", lambda kind: names)
        of = identity.tf.config.experimental
        monkeypatch.setattr(of, "get_device_details", lambda name: {"device_name": name})

    return listed


@pytest.mark.parametrize("backend", ["jax", "torch", "tensorflow"])
def test_the_kinds_of_devices_decide_the_key(key, monkeypatch, request, backend):
    """No backend but TensorFlow need be installed."""
    found, listed = set(), request.getfixturevalue(f"{backend}_devices")
    monkeypatch.setattr(identity.keras.backend, "backend", lambda: backend)
    monkeypatch.setattr(identity, "version", lambda package: "2.13")
    for names in ([], ["one"], ["one", "one"], ["other"]):
        listed(names)
        found.add(key())

    assert len(found) == 4


def test_what_decides_a_run_can_be_read(script):
    found = fingerprint.parts(script, {"a.csv": "0", "b": "1"}, fold="2")

    assert list(found) == ["code", "versions", "machine", "inputs", "fold"]
    assert found["inputs"] == "a.csv 0, b 1"
    assert f"tensorflow {version('tensorflow')}" in found["versions"]
    assert " CPUs of " in found["machine"]
    assert found["fold"] == "2"
