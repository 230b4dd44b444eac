"""A training between two epochs, kept on disk so that one that was killed goes on."""

import hashlib
import io
import math
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import keras
import numpy as np

from skinlesion.params import Block

__all__ = ["Best", "Checkpoint", "Progress", "home", "key"]

_N_DIGEST = hashlib.sha256().digest_size
_THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_ENABLE_ONEDNN_OPTS", "XLA_FLAGS")


@dataclass(frozen=True)
class Best:
    """The epoch of the highest validation pAUC, the earliest of equals."""

    epoch: int
    values: dict[str, float]
    weights: list[np.ndarray]


@dataclass(frozen=True)
class Progress:
    """What a training has come to, beside the state of its network and optimizer."""

    logged: tuple[dict[str, float], ...] = ()  # the values of each finished epoch
    best: Best = Best(-1, {"validation/pauc": -math.inf}, [])  # any epoch is better

    def after(self, values: dict[str, float], network: keras.Model) -> "Progress":
        """Add an epoch.

        Args:
            values: Of the epoch, "validation/pauc" among them.
            network: As the epoch left it.
        """
        best = self.best
        if values["validation/pauc"] > best.values["validation/pauc"]:
            best = Best(len(self.logged), values, network.get_weights())
        return Progress((*self.logged, values), best)


@dataclass(frozen=True)
class Checkpoint:
    """Keeps one training under its key.

    Two processes may keep the same training at once: each file is put into place whole, and
    what they write is the same.
    """

    folder: Path
    key: str
    say: Callable[[str], None]  # told, in a sentence, what a user should know

    def restore(self, logits: keras.Model) -> Progress | None:
        """Go back to where an earlier process came to.

        Args:
            logits: Compiled, of the same training; changed in place, its optimizer with it.

        Returns:
            The progress; None, and nothing changed, where no file of it is there and whole.
        """
        arrays = self._arrays()
        if not arrays:
            return None
        logits.optimizer.build(logits.trainable_variables)
        for variable, value in zip(_state(logits), _numbered(arrays, "state_"), strict=True):
            variable.assign(value)
        names = arrays["names"].tolist()
        rows = arrays["logged"].tolist()
        logged = tuple(dict(zip(names, row, strict=True)) for row in rows)
        epoch = int(arrays["best_epoch"])
        return Progress(logged, Best(epoch, logged[epoch], _numbered(arrays, "weights_")))

    def save(self, progress: Progress, logits: keras.Model) -> None:
        """Put what is needed to go on in place of what was kept of the epoch before.

        A disk that is full costs the checkpoint and not the training, and is told of.

        Args:
            progress: After one epoch or more.
            logits: As it and its optimizer are after that epoch.
        """
        names = list(progress.logged[0])
        arrays = {
            "names": np.array(names),
            "logged": np.array([[of[name] for name in names] for of in progress.logged]),
            "best_epoch": np.array(progress.best.epoch),
        }
        arrays |= {f"weights_{i:05d}": a for i, a in enumerate(progress.best.weights)}
        state = map(keras.ops.convert_to_numpy, _state(logits))
        arrays |= {f"state_{i:05d}": a for i, a in enumerate(state)}
        file = io.BytesIO()
        np.savez(file, **arrays)  # type: ignore[arg-type]
        file.write(hashlib.sha256(file.getbuffer()).digest())  # numpy reads past it
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _write(self._path, file.getbuffer())
        except OSError as error:
            self.say(f"epoch {len(progress.logged)} is not kept ({error}). Training goes on.")

    def remove(self) -> None:
        """Remove the progress, and what killed processes left of its files."""
        for path in self.folder.glob(f"{self.key}*"):
            path.unlink(missing_ok=True)

    @property
    def _path(self) -> Path:
        return self.folder / f"{self.key}.npz"

    def _arrays(self) -> dict[str, np.ndarray]:
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            self.say(f"{self._path} cannot be read ({error}). Training starts over.")
            return {}
        # The digest comes before any parsing: damage may turn into any error, or into none.
        if hashlib.sha256(content[:-_N_DIGEST]).digest() != content[-_N_DIGEST:]:
            self.say(f"{self._path} is damaged. Training starts over.")
            return {}
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return dict(arrays)


def key(script: Path, network: keras.Model, *given: Block | str) -> str:
    """Name a training by all that decides its bits.

    Args:
        script: The one that runs; the modules of the package loaded so far count with it.
        network: Before its first step: its weights stand for seeds and pretrained files.
        *given: The fold, the blocks of params, the hashes of the inputs, ...

    Returns:
        32 hexadecimal digits. Another Python, backend, kind of device or number of threads
        gives others, since those may round otherwise.
    """
    parts = [part if isinstance(part, str) else part.model_dump_json() for part in given]
    for path in [script, *_modules()]:
        parts.append(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}")
    digest = hashlib.sha256("\n".join([*parts, *_machine()]).encode())
    for variable in network.variables:
        digest.update(keras.ops.convert_to_numpy(variable).tobytes())
    return digest.hexdigest()[:32]


def home(folder: Path) -> Path:
    """Find the repository whose experiment runs in a temporary folder.

    Args:
        folder: Absolute; where a stage runs.

    Returns:
        What `.dvc/tmp/exps/...` lies in, the same for every attempt at an experiment; the
        folder itself elsewhere.
    """
    temporary = [path for path in folder.parents if path.parts[-3:] == (".dvc", "tmp", "exps")]
    return temporary[0].parents[2] if temporary else folder


def _modules() -> list[Path]:
    loaded = [m for name, m in sorted(sys.modules.items()) if name.split(".")[0] == __package__]
    return [Path(m.__file__) for m in loaded if m.__file__]


def _machine() -> list[str]:
    backend = keras.backend.backend()
    threads = [f"{name}={os.environ.get(name)}" for name in _THREADS]
    affine = getattr(os, "sched_getaffinity", None)  # not on macOS
    n_cpus = len(affine(0)) if affine else os.cpu_count()
    kind = [platform.machine(), platform.python_version(), f"{backend} {version(backend)}"]
    return [*kind, f"{n_cpus} CPUs", *threads, *keras.distribution.list_devices()]


def _state(logits: keras.Model) -> list[keras.Variable]:
    """All that a step changes: weights, dropout's generators, the optimizer's moments."""
    return [*logits.variables, *logits.optimizer.variables]


def _numbered(arrays: dict[str, np.ndarray], prefix: str) -> list[np.ndarray]:
    return [arrays[name] for name in sorted(arrays) if name.startswith(prefix)]


def _write(path: Path, content: memoryview) -> None:
    """Put a file into place whole, or not at all, whenever the process or the power fails."""
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=f"{path.stem}-", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Make a new name in a folder outlive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
