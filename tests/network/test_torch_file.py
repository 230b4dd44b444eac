"""network.torch_file: tensors come out as they went in, and nothing else comes out or runs."""

import pickle
import sys

import numpy as np
import pytest
from tests import process, torch_files
from tests.torch_files import Called, Named, Referred

from skinlesion.errors import InputError
from skinlesion.network import torch_file

RNG = np.random.default_rng(0)
ARRAYS = {
    "kernel": RNG.normal(size=(4, 3, 2, 2)).astype(np.float32),
    "bias": RNG.normal(size=4).astype(np.float32),
    "n": np.array(7),
}
NUMBERS = np.arange(6, dtype=np.float32)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.pth"


def test_tensors_come_out_as_they_went_in(path):
    found = torch_file.read(torch_files.write(path, ARRAYS))

    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array)


def test_tensors_may_share_a_storage_and_be_transposed(path):
    given = {
        "all": torch_files.tensor(NUMBERS, "0", shape=(2, 3), strides=(3, 1)),
        "turned": torch_files.tensor(NUMBERS, "0", shape=(3, 2), strides=(1, 3)),
        "end": torch_files.tensor(NUMBERS, "0", offset=4, shape=(2,), strides=(1,)),
    }
    path.write_bytes(torch_files.content(given, {"0": NUMBERS}))
    found = torch_file.read(path)

    assert np.array_equal(found["all"], NUMBERS.reshape(2, 3))
    assert np.array_equal(found["turned"], found["all"].T)
    assert found["end"].tolist() == [4, 5]


def test_what_torch_keeps_beside_the_tensors_is_left_out(path):
    versions = {"_metadata": {"": {"version": 1}}}
    ordered = Called(Named("collections", "OrderedDict"), (), versions)
    path.write_bytes(torch_files.content(ordered, {}))

    assert torch_file.read(path) == {}


# === Hostile files ===

COMMAND = "touch /tmp/never"
CALLS = {
    "a command": Called(Named("os", "system"), (COMMAND,)),
    "another name of it": Called(Named("posix", "system"), (COMMAND,)),
    "an expression": Called(Named("builtins", "eval"), ("1",)),
    "a class of torch": Called(Named("torch.nn.modules.linear", "Linear"), (1, 1)),
    "an attribute of what is admitted": Called(Named("collections", "OrderedDict.fromkeys"), ([],)),
    "a module of ours": Called(Named("skinlesion.network.torch_file", "read"), ("x",)),
}


@pytest.fixture
def no_import(monkeypatch):
    """Notice when a pickle imports, or its base class looks something up."""

    def find_class(self, module, name):
        pytest.fail(f"{module}.{name} was looked up")

    monkeypatch.setattr(pickle.Unpickler, "find_class", find_class, raising=False)


@pytest.mark.parametrize("hostile", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("place", range(4))
def test_nothing_that_a_file_names_is_called(path, hostile, place):
    parts = [torch_files.MAGIC, torch_files.PROTOCOL, torch_files.SYSTEM, {}]
    parts[place] = hostile
    path.write_bytes(b"".join(map(torch_files.pickled, [*parts, []])))
    before = set(sys.modules)
    with pytest.raises(InputError, match=rf"it names {hostile.what.module}\.") as caught:
        torch_file.read(path)

    assert caught.value.__cause__ is None
    assert set(sys.modules) == before


def test_the_same_file_would_run_under_pickle():
    content = torch_files.pickled(CALLS["a command"])
    code = (
        "import io, os, pickle\n"
        "os.system = lambda command: print(command, end='')\n"
        f"pickle.load(io.BytesIO({content!r}))"
    )

    assert process.python(code).stdout == COMMAND


@pytest.mark.parametrize(
    "admitted", [Named("torch._utils", "_rebuild_tensor_v2"), Named("collections", "OrderedDict")]
)
def test_what_is_admitted_cannot_be_changed(path, admitted):
    given = torch_files.pickled(admitted)[:-1] + torch_files.pickled((None, {"copy": 1}))[2:-1]
    parts = [torch_files.MAGIC, torch_files.PROTOCOL, torch_files.SYSTEM]
    path.write_bytes(b"".join(map(torch_files.pickled, parts)) + given + b"b.")
    with pytest.raises(InputError, match="must hold tensors, and nothing else"):
        torch_file.read(path)


FLOAT = Named("torch", "FloatStorage")
STRANGE = {
    "no storage": ("module", FLOAT, "0", "cpu", 6, None),
    "an unknown kind of number": ("storage", "<U9999999", "0", "cpu", 6, None),
    "a view": ("storage", FLOAT, "0", "cpu", 6, ("0", 0, 6)),
    "too little": ("storage", FLOAT),
}


@pytest.mark.parametrize("args", STRANGE.values(), ids=STRANGE)
def test_a_reference_to_anything_but_a_storage_is_refused(path, args):
    path.write_bytes(torch_files.content({"x": Referred(args)}, {"0": NUMBERS}))
    with pytest.raises(InputError, match="must hold tensors, and nothing else"):
        torch_file.read(path)


OUTSIDE = {
    "beyond the end": {"offset": 1},
    "before the start": {"offset": -1},
    "by its strides": {"strides": (2,)},
    "backwards": {"strides": (-1,), "offset": 5},
    "of a negative shape": {"shape": (-1,)},
    "of no shape": {"shape": (2, 3)},
    "of huge shape": {"shape": (2**40,)},
}


@pytest.mark.parametrize("changes", OUTSIDE.values(), ids=OUTSIDE)
def test_a_tensor_outside_its_storage_is_refused(path, changes):
    given = {"x": torch_files.tensor(NUMBERS, "0", **changes)}
    path.write_bytes(torch_files.content(given, {"0": NUMBERS}))
    with pytest.raises(InputError, match=r"a tensor (lies outside its storage|has no such shape)"):
        torch_file.read(path)


@pytest.mark.parametrize("n", [0, 10, 20, 150, -5])
def test_a_file_that_is_cut_short_is_refused(path, n):
    content = torch_files.write(path, ARRAYS).read_bytes()
    path.write_bytes(content[:n])
    with pytest.raises(InputError, match=r"weights\.pth must hold tensors") as caught:
        torch_file.read(path)

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        b"text",
        torch_files.pickled(1) * 5,
        torch_files.content({}, {}, system={"little_endian": False}),
        torch_files.content([1], {}),
        torch_files.content({}, {"0": NUMBERS}),
    ],
)
def test_a_file_of_another_kind_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(InputError, match="must hold tensors, and nothing else"):
        torch_file.read(path)


def test_a_file_that_is_not_there_is_an_error_that_names_it(path):
    with pytest.raises(InputError, match=r"weights\.pth must hold tensors.*No such file"):
        torch_file.read(path)
