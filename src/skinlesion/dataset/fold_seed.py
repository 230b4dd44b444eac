"""The models of folds and seeds: which one it is, and the folder that it lies in."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import Field

from skinlesion.errors import InputError
from skinlesion.params import Block

__all__ = ["FoldSeed", "Params", "every", "found", "of_fold", "require"]


class Params(Block, extra="ignore"):
    """What block `train` says of how many networks a fold has."""

    n_seeds: int = Field(ge=1)


class FoldSeed(NamedTuple):
    """A model: the fold that it has not seen, and its seed."""

    fold: int
    seed: int = 0

    @property
    def path(self) -> Path:
        """Its folder, below that of all models: fold-K; of a further seed fold-K/seed-S."""
        return of_fold(Path(f"fold-{self.fold}"), self.seed)

    def __str__(self) -> str:
        return f"fold {self.fold}" + (f", seed {self.seed}" if self.seed else "")


def of_fold(folder: Path, seed: int) -> Path:
    """Return the folder of a seed.

    The first seed's is that of its fold, so it is found in one place however many there are.

    Args:
        folder: Of the fold.
        seed: From 0.
    """
    return folder / f"seed-{seed}" if seed else folder


def every(folds: Collection[int], n_seeds: int) -> list[FoldSeed]:
    """List the models of folds, in their order.

    Args:
        folds: Their numbers.
        n_seeds: Of each fold.
    """
    return [FoldSeed(fold, seed) for fold in sorted(folds) for seed in range(n_seeds)]


def found(folder: Path) -> list[FoldSeed]:
    """List the models that there are, by fold and seed.

    Args:
        folder: Of all models. What is named otherwise is left alone.
    """
    return sorted(
        FoldSeed(fold, seed)
        for fold, of in _numbered(folder, "fold").items()
        for seed in {0, *_numbered(of, "seed")}
    )


def require(folder: Path, expected: Sequence[FoldSeed]) -> None:
    """Require the folders of some models, and no others: each that there is would be used.

    Args:
        folder: Of all models.
        expected: From `every`.

    Raises:
        InputError: One is absent or unexpected.
    """
    present = found(folder)
    if not present:
        raise InputError(f"{folder} must hold folders fold-K. It holds none.")
    for one in sorted(set(present) ^ set(expected)):
        path = folder / one.path
        if one in expected:
            raise InputError(f"{path} must be a model. There is none.")
        folds = sorted({each.fold for each in expected})
        what = f"the folds of split.train_folds = {folds}"
        if one.fold in folds:
            n_seeds = sum(each.fold == one.fold for each in expected)
            what = f"the seeds of train.n_seeds = {n_seeds}"
        # Averaging it in would be wrong, and DVC hashes all that lies in the folder.
        raise InputError(
            f"{path.parent} must hold {what} only. Got {path}, of an earlier setting; DVC's cache "
            f"keeps it: rm -r {path}"
        )


def _numbered(folder: Path, name: str) -> dict[int, Path]:
    """List the folders NAME-<number> in a folder."""
    matches = [(re.fullmatch(rf"{name}-(0|[1-9]\d*)", p.name), p) for p in folder.glob("*")]
    return {int(match[1]): path for match, path in matches if match and path.is_dir()}
