"""Checkpoints: the state of a training after an epoch, from which a killed one resumes."""

import hashlib
import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from skinlesion.dataset import atomic
from skinlesion.training import distribution, schedule

__all__ = ["Best", "Checkpoint", "Progress"]

_N_DIGEST = hashlib.sha256().digest_size


@dataclass(frozen=True)
class Best:
    """The epoch whose weights are kept: of the highest validation pAUC, or the last."""

    epoch: int
    values: dict[str, float]
    weights: list[np.ndarray]

    def summary(self, p: schedule.Params) -> str:
        """Say which epoch it is, and how well it ranks.

        Args:
            p: The block `train`.
        """
        what = f"{p.select} epoch {self.epoch + 1} of {p.n_epochs}"
        if p.fitted == "head":
            what = "linear head"
        pauc, auc = self.values["validation/pauc"], self.values["validation/auc"]
        return f"{what}, validation pAUC {pauc:.4f}, AUC {auc:.4f}"


@dataclass(frozen=True)
class Progress:
    """The finished epochs of a training; its network and optimizer have a state of their own."""

    logged: tuple[dict[str, float], ...] = ()  # the values of each finished epoch
    best: Best = Best(-1, {"validation/pauc": -math.inf}, [])  # any epoch is better

    def after(
        self, values: dict[str, float], network: keras.Model, *, select: str = "best"
    ) -> "Progress":
        """Add an epoch.

        Args:
            values: Of the epoch, "validation/pauc" among them.
            network: As the epoch left it.
            select: Which weights are kept: "best", of the highest pAUC and the earliest of equals;
                or "last".
        """
        best = self.best
        if select == "last" or values["validation/pauc"] > best.values["validation/pauc"]:
            best = Best(len(self.logged), values, network.get_weights())
        return Progress((*self.logged, values), best)


@dataclass(frozen=True)
class Checkpoint:
    """The checkpoint file of one training, named by its key.

    Two processes may write the same checkpoint at once: each file is written atomically, and
    their contents are equal.
    """

    folder: Path
    key: str
    say: Callable[[str], None]  # called with a sentence that a user should know

    def restore(
        self, logits: keras.Model, prepare: Callable[[int], object] = lambda n_epochs: None
    ) -> Progress | None:
        """Restore the state that an earlier process saved.

        Args:
            logits: Of the same training; changed in place, its optimizer with it.
            prepare: Called before that, with the number of finished epochs. It compiles the
                network as it was in the last of them, unless it is so already.

        Returns:
            The progress; None, with nothing changed, where there is no intact file.

        Raises:
            InputError: Processes that train together would resume from different epochs.
        """
        arrays = self._arrays()
        found = f"after epoch {len(arrays.get('logged', ()))}"
        distribution.require_same(
            found, f"resume from the same epoch, in {self.folder}, which all must see"
        )
        if not arrays:
            return None
        prepare(len(arrays["logged"]))
        logits.optimizer.build(logits.trainable_variables)
        for variable, value in zip(_state(logits), _numbered(arrays, "state_"), strict=True):
            variable.assign(value)
        names = arrays["names"].tolist()
        rows = arrays["logged"].tolist()
        logged = tuple(dict(zip(names, row, strict=True)) for row in rows)
        epoch = int(arrays["best_epoch"])
        return Progress(logged, Best(epoch, logged[epoch], _numbered(arrays, "weights_")))

    def save(self, progress: Progress, logits: keras.Model) -> None:
        """Replace the checkpoint of the epoch before.

        A full disk loses the checkpoint, not the training, and is reported.

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
            with atomic.file(self._path) as kept:
                kept.write(file.getbuffer())
        except OSError as error:
            self.say(f"epoch {len(progress.logged)} is not kept ({error}). Training continues.")

    def remove(self) -> None:
        """Remove the file, and partial files that killed processes left."""
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
            self.say(f"{self._path} cannot be read ({error}). Training starts from the beginning.")
            return {}
        # The digest comes before any parsing: damage may turn into any error, or into none.
        if hashlib.sha256(content[:-_N_DIGEST]).digest() != content[-_N_DIGEST:]:
            self.say(f"{self._path} is damaged. Training starts from the beginning.")
            return {}
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return dict(arrays)


def _state(logits: keras.Model) -> list[keras.Variable]:
    """All that a step changes: weights, dropout's generators, the optimizer's moments."""
    return [*logits.variables, *logits.optimizer.variables]


def _numbered(arrays: dict[str, np.ndarray], prefix: str) -> list[np.ndarray]:
    return [arrays[name] for name in sorted(arrays) if name.startswith(prefix)]
