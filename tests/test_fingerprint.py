"""skinlesion.fingerprint: whatever may change a bit changes the name, and nothing else does."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from skinlesion import fingerprint, model

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
    return lambda *more: fingerprint.key(script, network, "fold 0", architecture(), *more)


def test_the_same_training_has_the_same_key_wherever_its_script_lies(key, script, network):
    moved = script.parent / "elsewhere" / script.name
    moved.parent.mkdir()
    moved.write_bytes(script.read_bytes())

    assert key() == key()
    assert len(key()) == 32
    assert fingerprint.key(moved, network) == fingerprint.key(script, network)


def test_whatever_is_given_decides_the_key(key, script, network, architecture):
    block = architecture().model
    others = [key("more"), fingerprint.key(script, network, "fold 1", architecture())]
    others.append(fingerprint.key(script, network, "fold 0", architecture(n_features=3)))
    for image_dropout in (0.1, 0.2):
        others.append(key(block.model_copy(update={"image_dropout": image_dropout})))

    assert len({key(), *others}) == 6


def test_the_script_decides_the_key(key, script):
    before = key()
    script.write_text("print(1)")

    assert key() != before


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
        monkeypatch.setattr("os.sched_getaffinity", lambda _, cpus=cpus: cpus, raising=False)
        found.add(key())
    monkeypatch.delattr("os.sched_getaffinity")
    monkeypatch.setattr("os.cpu_count", lambda: 2)

    assert len(found) == 2
    assert key() in found


def test_the_devices_of_pytorch_decide_the_key(key, monkeypatch):
    """Keras does not list them, and PyTorch need not be installed."""
    found, torch = set(), ModuleType("torch")
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setattr(fingerprint.keras.backend, "backend", lambda: "torch")
    monkeypatch.setattr(fingerprint, "version", lambda package: "2.13")
    for names in ([], ["one"], ["one", "one"], ["other"]):
        listed = {"device_count": names.__len__, "get_device_name": names.__getitem__}
        torch.cuda = SimpleNamespace(**listed)
        found.add(key())

    assert len(found) == 4


def test_the_machine_decides_the_key(key, monkeypatch):
    before = key()
    monkeypatch.setattr("platform.machine", lambda: "another")

    assert key() != before


# === Where it is kept ===


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("/a/project", "/a/project"),
        ("/a/project/.dvc/tmp/exps/tmp1x2", "/a/project"),
        ("/a/project/.dvc/tmp/exps/standalone/tmp1x2/sub", "/a/project"),
        ("/a/.dvc/project", "/a/.dvc/project"),
    ],
)
def test_an_experiments_temporary_folder_leads_to_its_repository(folder, expected):
    assert fingerprint.kept(Path(folder)) == Path(expected) / "checkpoints"
