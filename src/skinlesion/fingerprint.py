"""What decides the bits of a run, as a name; and where that run leaves what is not finished."""

import hashlib
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import keras

from skinlesion.params import Block

__all__ = ["kept", "key", "md5"]

_THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_ENABLE_ONEDNN_OPTS", "XLA_FLAGS")


def key(script: Path, network: keras.Model | None, *given: Block | str) -> str:
    """Name a run of a stage by all that decides its bits.

    Args:
        script: The one that runs; the modules of the package loaded so far count with it.
        network: Before its first step: its weights stand for seeds and pretrained files. None
            where there is none, or not yet.
        *given: The fold, the blocks of params, the hashes of the inputs, ...

    Returns:
        32 hexadecimal digits. Another Python, backend, kind of device or number of threads
        gives others, since those may round otherwise.
    """
    parts = [part if isinstance(part, str) else part.model_dump_json() for part in given]
    for path in [script, *_modules()]:
        parts.append(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}")
    digest = hashlib.sha256("\n".join([*parts, *_machine()]).encode())
    for variable in network.variables if network else ():
        digest.update(keras.ops.convert_to_numpy(variable).tobytes())
    return digest.hexdigest()[:32]


def kept(folder: Path) -> Path:
    """Find where runs that were killed leave what the next attempt goes on from.

    Not among the outs: DVC removes those before it runs a stage.

    Args:
        folder: Absolute; where a stage runs.

    Returns:
        Its folder `checkpoints`; of an experiment that runs in `.dvc/tmp/exps/...` that of the
        repository, which is the same for every attempt.
    """
    temporary = [path for path in folder.parents if path.parts[-3:] == (".dvc", "tmp", "exps")]
    return (temporary[0].parents[2] if temporary else folder) / "checkpoints"


def md5(path: Path) -> str:
    """Hash a file, or all files of a folder with their names.

    Args:
        path: A file, or a folder.

    Returns:
        32 hexadecimal digits; a file's are those in dvc.lock.
    """
    if path.is_dir():
        parts = sorted(p for p in path.rglob("*") if p.is_file())
        listing = "".join(f"{p.relative_to(path).as_posix()} {md5(p)}\n" for p in parts)
        return hashlib.md5(listing.encode(), usedforsecurity=False).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _modules() -> list[Path]:
    loaded = [m for name, m in sorted(sys.modules.items()) if name.split(".")[0] == __package__]
    return [Path(m.__file__) for m in loaded if m.__file__]


def _machine() -> list[str]:
    backend = keras.backend.backend()
    threads = [f"{name}={os.environ.get(name)}" for name in _THREADS]
    affine = getattr(os, "sched_getaffinity", None)  # not on macOS
    n_cpus = len(affine(0)) if affine else os.cpu_count()
    kind = [platform.machine(), platform.python_version(), f"{backend} {version(backend)}"]
    return [*kind, f"{n_cpus} CPUs", *threads, *_devices()]


def _devices() -> list[str]:
    if keras.backend.backend() != "torch":
        return list(keras.distribution.list_devices())
    import torch  # Keras does not list its devices

    return [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
