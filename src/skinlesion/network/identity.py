"""What decides the bits that a process computes: its code, packages, files and kind of machine."""

import hashlib
import os
import platform
import re
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import keras
import tensorflow as tf

from skinlesion.dataset import threads

__all__ = ["machine", "md5", "md5s", "sha256", "versions"]

_PACKAGES = ("keras", "keras-cv", "tensorflow", "ai-edge-litert", "numpy", "pillow", "simplejpeg")
_CPUINFO = Path("/proc/cpuinfo")  # of Linux
_VARIABLES = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_ENABLE_ONEDNN_OPTS", "XLA_FLAGS")


def versions() -> dict[str, str]:
    """List the versions of the packages that make pixels and scores, by name."""
    found = {}
    for name in dict.fromkeys([*_PACKAGES, keras.backend.backend()]):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # LiteRT, where it is not made for this platform
    return found


def machine() -> list[str]:
    """List what is special about this machine: processors, Python, variables, accelerators.

    Two machines with the same list round alike.
    """
    python = f"Python {platform.python_version()}"
    set_here = [f"{name}={os.environ[name]}" for name in _VARIABLES if name in os.environ]
    return [f"{threads.n_cpus()} CPUs of {_processor()}", python, *set_here, *_devices()]


def md5s(paths: Iterable[Path]) -> dict[str, str]:
    """Hash what a run reads.

    Args:
        paths: Files and folders.

    Returns:
        The `md5` of each, by its path.
    """
    return {path.as_posix(): md5(path) for path in paths}


def md5(path: Path) -> str:
    """Hash a file, or all files of a folder with their names.

    Args:
        path: A file, or a folder.

    Returns:
        32 hexadecimal digits; a file's are those in dvc.lock.
    """
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.is_file())
        listing = "".join(f"{p.relative_to(path).as_posix()} {md5(p)}\n" for p in files)
        return hashlib.md5(listing.encode(), usedforsecurity=False).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def sha256(path: Path) -> str:
    """Hash a file of code.

    Args:
        path: The file.

    Returns:
        64 hexadecimal digits.
    """
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _processor() -> str:
    """Tell the kind of processor: libraries choose their instructions, and so round, by it."""
    try:
        listed = _CPUINFO.read_text()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    first = dict(re.findall(r"^(.+?)\s*:\s*(.*)$", listed.partition("\n\n")[0], re.MULTILINE))
    flags = sorted((first.get("flags") or first.get("Features") or "").split())
    digest = hashlib.sha256(" ".join(flags).encode()).hexdigest()[:8]
    return f"{platform.machine()} {first.get('model name', '')} {digest}"


def _devices() -> list[str]:
    """Tell the kinds of accelerators that the backend uses; Keras would only number them."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return [f"{backend} on {device.device_kind}" for device in jax.devices()]
    if backend == "torch":
        import torch

        names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    else:
        gpus = tf.config.get_visible_devices("GPU")
        details = map(tf.config.experimental.get_device_details, gpus)
        names = [of.get("device_name", "a GPU") for of in details]
    return [f"{backend} on {name}" for name in names or ["CPU"]]
