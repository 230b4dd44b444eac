"""Read the tensors of a file that `torch.save` wrote, without PyTorch and without running it."""

import pickle
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from skinlesion.errors import InputError

__all__ = ["read"]

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
# The pickle is a program that may name any callable of Python. These names are all that a file
# of tensors holds; each stands for one of ours.
DTYPES = {"FloatStorage": "<f4", "LongStorage": "<i8"}


class _Storage(NamedTuple):
    """A stretch of numbers that tensors share; the numbers come last in the file."""

    key: str
    dtype: np.dtype
    n: int


@dataclass(frozen=True)
class _Tensor:
    """Where the numbers of a tensor are in its storage, in elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Rebuild:
    """Stands for torch._utils._rebuild_tensor_v2. A pickle can set no attribute of it."""

    __slots__ = ()

    def __call__(self, storage: _Storage, offset: int, shape: Any, strides: Any, *_: Any) -> Any:
        return _Tensor(storage, offset, shape, strides)


_NAMES: Mapping[tuple[str, str], Any] = MappingProxyType(
    {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _Rebuild(),
        **{("torch", name): dtype for name, dtype in DTYPES.items()},
    }
)


class _Unpickler(pickle.Unpickler):
    """Admits tensors, their storages and the dictionary that names them, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _NAMES[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it names {module}.{name}") from None

    def persistent_load(self, given: Any) -> _Storage:
        kind, dtype, key, _, n, view = given
        if kind != "storage" or dtype not in DTYPES.values() or view is not None:
            raise pickle.UnpicklingError("it refers to something that is no storage")
        return _Storage(str(key), np.dtype(dtype), int(n))


def read(path: Path) -> dict[str, np.ndarray]:
    """Read a dictionary of tensors.

    Nothing in the file is run: its pickle may name tensors and storages only.

    Args:
        path: A file as PyTorch wrote it up to version 1.5: magic number, protocol, system, a
            pickle of the tensors, the keys of their storages, and the storages.

    Returns:
        The tensors by name, float32 or int64.

    Raises:
        InputError: The file is absent, of another kind, cut short, or names anything else.

    Source:
        https://github.com/pytorch/pytorch/blob/v1.5.0/torch/serialization.py, `_legacy_save`.
    """
    try:
        with path.open("rb") as file:
            return _read(file)
    # What a damaged pickle raises is not limited to errors of its own.
    except (OSError, pickle.UnpicklingError, ValueError, TypeError, LookupError) as error:
        raise _refusal(path, error) from None
    except (AttributeError, EOFError, OverflowError, MemoryError) as error:
        raise _refusal(path, error) from None


def _refusal(path: Path, error: BaseException) -> InputError:
    reason = str(error).partition("\n")[0] or type(error).__name__
    return InputError(f"{path} must hold tensors, and nothing else, as PyTorch wrote it: {reason}.")


def _read(file: BinaryIO) -> dict[str, np.ndarray]:
    magic, protocol, system, tensors, keys = (_Unpickler(file).load() for _ in range(5))
    if (magic, protocol) != (MAGIC, PROTOCOL) or not system["little_endian"]:
        raise ValueError("it begins otherwise")
    tensors = {name: t for name, t in tensors.items() if isinstance(t, _Tensor)}
    of = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    storages = {key: _numbers(file, of[key]) for key in keys}
    return {name: _view(storages[t.storage.key], t) for name, t in tensors.items()}


def _numbers(file: BinaryIO, storage: _Storage) -> np.ndarray:
    n = int.from_bytes(file.read(8), "little")
    content = file.read(n * storage.dtype.itemsize) if n == storage.n else b""
    if len(content) != storage.n * storage.dtype.itemsize:
        raise ValueError("it is cut short")
    return np.frombuffer(content, storage.dtype)


def _view(numbers: np.ndarray, tensor: _Tensor) -> np.ndarray:
    """Take a tensor from its storage; every number that it names must lie there."""
    if len(tensor.shape) != len(tensor.strides) or min((0, *tensor.shape, *tensor.strides)) < 0:
        raise ValueError("a tensor has no such shape")
    reach = sum((n - 1) * step for n, step in zip(tensor.shape, tensor.strides, strict=True))
    if not 0 <= tensor.offset <= tensor.offset + reach < len(numbers) or 0 in tensor.shape:
        raise ValueError("a tensor lies outside its storage")
    strides = [step * numbers.itemsize for step in tensor.strides]
    start = numbers[tensor.offset :]
    return np.array(np.lib.stride_tricks.as_strided(start, tensor.shape, strides))
