"""Files as `torch.save` wrote them up to version 1.5, made without PyTorch, opcode by opcode."""

import struct
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
SYSTEM = {"protocol_version": PROTOCOL, "little_endian": True}
STORAGES = {"<f4": "FloatStorage", "<i8": "LongStorage"}


class Named(NamedTuple):
    """Something that the reader is to import."""

    module: str
    name: str


class Called(NamedTuple):
    """What a call gives; with a state that is set on it."""

    what: Any
    args: tuple
    state: Any = None


class Referred(NamedTuple):
    """A storage, by the tuple that refers to it."""

    args: tuple


def pickled(value: Any) -> bytes:
    """Pickle a value by protocol 2."""
    return b"\x80\x02" + _ops(value) + b"."


def _ops(value: Any) -> bytes:
    match value:
        case None:
            return b"N"
        case bool():
            return b"\x88" if value else b"\x89"
        case int():
            content = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
            return b"\x8a" + struct.pack("B", len(content)) + content
        case str():
            return b"X" + struct.pack("<I", len(value.encode())) + value.encode()
        case Named():
            return f"c{value.module}\n{value.name}\n".encode()
        case Called():
            state = b"" if value.state is None else _ops(value.state) + b"b"
            return _ops(value.what) + _ops(value.args) + b"R" + state
        case Referred():
            return _ops(value.args) + b"Q"
        case tuple():
            return b"(" + b"".join(map(_ops, value)) + b"t"
        case list():
            return b"](" + b"".join(map(_ops, value)) + b"e"
    return b"}(" + b"".join(_ops(k) + _ops(v) for k, v in value.items()) + b"u"


def tensor(array: np.ndarray, key: str, **changes: Any) -> Called:
    """Describe a tensor that is all of its storage, or differs in what is named."""
    given = {
        "storage": STORAGES[array.dtype.str],
        "n": array.size,
        "offset": 0,
        "shape": array.shape,
        "strides": tuple(step // array.itemsize for step in array.strides),
    } | changes
    storage = Referred(("storage", Named("torch", given["storage"]), key, "cpu", given["n"], None))
    hooks = Called(Named("collections", "OrderedDict"), ())
    args = (storage, given["offset"], given["shape"], given["strides"], False, hooks)
    return Called(Named("torch._utils", "_rebuild_tensor_v2"), args)


def content(tensors: Any, storages: dict[str, np.ndarray], system: Any = SYSTEM) -> bytes:
    """Assemble a file: its pickles, then the numbers of its storages."""
    parts = [pickled(part) for part in (MAGIC, PROTOCOL, system, tensors, list(storages))]
    numbers = [struct.pack("<q", of.size) + of.tobytes() for of in storages.values()]
    return b"".join([*parts, *numbers])


def write(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    """Write arrays, each contiguous, float32 or int64, under their names."""
    storages = {str(100 + i): np.array(a, order="C") for i, a in enumerate(arrays.values())}
    named = zip(arrays, storages.items(), strict=True)
    path.write_bytes(content({n: tensor(a, key) for n, (key, a) in named}, storages))
    return path
