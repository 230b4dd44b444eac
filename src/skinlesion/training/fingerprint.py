"""A key for a run: the hash of everything that decides its bits."""

import hashlib
import os
import platform
import re
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import keras
import tensorflow as tf

from skinlesion.dataset import threads
from skinlesion.params import Block

__all__ = ["key", "md5", "md5s", "parts", "versions"]

_PACKAGES = ("keras", "keras-cv", "tensorflow", "ai-edge-litert", "numpy", "pillow", "simplejpeg")
_CPUINFO = Path("/proc/cpuinfo")  # of Linux
_VARIABLES = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_ENABLE_ONEDNN_OPTS", "XLA_FLAGS")


def parts(script: Path, inputs: Mapping[str, str], **given: Block | str) -> dict[str, str]:
    """Collect everything that decides the bits of a run of a stage.

    Args:
        script: The one that runs; the modules of the package loaded so far count with it.
        inputs: From `md5s`.
        **given: Blocks of params by name, and what else decides it.

    Returns:
        Texts by subject: "code", "versions", "machine", "inputs" and each that is given.
        Another processor, kind of device or number of threads is another machine, since those
        may round otherwise.
    """
    return {
        "code": _code(script),
        "versions": _listing(versions().items()),
        "machine": ", ".join(_machine()),
        "inputs": _listing(inputs.items()),
        **{k: v if isinstance(v, str) else v.model_dump_json() for k, v in given.items()},
    }


def key(parts: Mapping[str, str], network: keras.Model | None = None) -> str:
    """Hash what decides a run.

    Args:
        parts: From `parts`.
        network: Before its first step: its weights stand for seeds and pretrained files.

    Returns:
        32 hexadecimal digits.
    """
    digest = hashlib.sha256(_listing(parts.items(), "\n").encode())
    for variable in network.variables if network else ():
        digest.update(keras.ops.convert_to_numpy(variable).tobytes())
    return digest.hexdigest()[:32]


def versions() -> dict[str, str]:
    """List the versions of the packages that make pixels and scores, by name."""
    found = {}
    for name in dict.fromkeys([*_PACKAGES, keras.backend.backend()]):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # LiteRT, where it is not made for this platform
    return found


def md5s(paths: Iterable[Path]) -> dict[str, str]:
    """Hash the inputs of a run.

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


def _listing(items: Iterable[tuple[str, str]], between: str = ", ") -> str:
    return between.join(f"{name} {text}" for name, text in items)


def _code(script: Path) -> str:
    package = __name__.partition(".")[0]
    loaded = [m for name, m in sorted(sys.modules.items()) if name.split(".")[0] == package]
    digest = hashlib.sha256()
    for path in [script, *(Path(m.__file__) for m in loaded if m.__file__)]:
        digest.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()[:32]


def _machine() -> list[str]:
    python = f"Python {platform.python_version()}"
    set_here = [f"{name}={os.environ[name]}" for name in _VARIABLES if name in os.environ]
    return [f"{threads.n_cpus()} CPUs of {_processor()}", python, *set_here, *_devices()]


def _processor() -> str:
    """Describe the processor: libraries choose instructions by its kind, which decides rounding."""
    try:
        listed = _CPUINFO.read_text()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    first = dict(re.findall(r"^(.+?)\s*:\s*(.*)$", listed.partition("\n\n")[0], re.MULTILINE))
    flags = sorted((first.get("flags") or first.get("Features") or "").split())
    digest = hashlib.sha256(" ".join(flags).encode()).hexdigest()[:8]
    return f"{platform.machine()} {first.get('model name', '')} {digest}"


def _devices() -> list[str]:
    """List the kinds of accelerators that the backend uses; Keras would only number them."""
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
