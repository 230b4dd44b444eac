"""A table expert as a folder of plain files: LightGBM's text, and facts; and how it scores."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import lightgbm as lgb
import numpy as np

from skinlesion.boosting.columns import Columns
from skinlesion.boosting.ensemble import Ensemble, Fitted
from skinlesion.dataset import fold_seed
from skinlesion.errors import InputError
from skinlesion.params import Block, load_json

__all__ = ["ALONE", "CONTEXT", "Expert", "Facts", "Mode", "Scores", "load", "load_folds", "save"]

ALONE, CONTEXT = "alone", "context"
FACTS = "facts.json"


class Mode(Block):
    """What is known of the models that read a lesion alone, or beside its patient's others."""

    prior_shift: float  # subtracted from the mean logit, to put it on the true prior
    n_seeds: int
    n_rounds: int
    pauc: float  # of the validation fold, which chose nothing
    auc: float


class Facts(Block):
    """What scoring needs beside the trees. No mode: there was nothing to learn from."""

    own: list[str]
    relative: list[str]
    categories: dict[str, list[str]]
    modes: dict[str, Mode]
    versions: dict[str, str]


@dataclass(frozen=True)
class Scores:
    """Logits of lesions, on the true prior."""

    context: np.ndarray  # shape (n_lesions,), beside the patient's others, where there are enough
    alone: np.ndarray  # shape (n_lesions,), as if each were its patient's only lesion
    spread: np.ndarray  # shape (n_lesions,), standard deviation over seeds of `context`; NaN of one


@dataclass(frozen=True)
class Expert:
    """A table expert that can score."""

    columns: Columns
    categories: dict[str, list[str]]
    ensembles: dict[str, Ensemble]  # by mode

    def logits(self, values: np.ndarray) -> Scores:
        """Score lesions, each by itself: what else is in the matrix does not matter.

        Args:
            values: Shape (n_lesions, n_columns), float32, in the order of `columns`.
        """
        n_alone = self.columns.n_alone
        alone, spread = self.ensembles[ALONE].spread(values[:, :n_alone])
        if CONTEXT not in self.ensembles:
            return Scores(alone, alone, spread)
        known, context = ~np.isnan(values[:, n_alone:]).all(1), alone.copy()
        context[known], spread[known] = self.ensembles[CONTEXT].spread(values[known])
        return Scores(context, alone, spread)


def save(folder: Path, facts: Facts, fitted: dict[str, Fitted]) -> None:
    """Write an expert. The same expert gives the same bytes.

    Args:
        folder: Made if need be.
        facts: Its facts.
        fitted: Its models by mode.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for mode, models in fitted.items():
        for seed, booster in enumerate(models.ensemble.boosters):
            booster.save_model(folder / f"{mode}-{seed}.txt")
    (folder / FACTS).write_text(facts.model_dump_json(indent=1) + "\n")


def load(folder: Path) -> Expert:
    """Load an expert. Nothing in the folder is run: it is read as JSON and as LightGBM's text.

    Args:
        folder: Written by `save`.

    Raises:
        InputError: A file is absent or malformed.
    """
    path = folder / FACTS
    facts = load_json(path, Facts, "the facts of a table expert")
    ensembles = {
        name: Ensemble(
            [_booster(folder / f"{name}-{seed}.txt") for seed in range(mode.n_seeds)],
            mode.prior_shift,
        )
        for name, mode in facts.modes.items()
    }
    columns = Columns(facts.own, facts.relative, list(facts.categories))
    return Expert(columns, facts.categories, ensembles)


def load_folds(folder: Path, *, expected: Collection[int]) -> dict[int, Expert]:
    """Load the expert of each fold.

    Args:
        folder: Holds a folder fold-K per fold.
        expected: The folds that must be there, and no others.

    Returns:
        The experts by fold; none where they found nothing to learn from.

    Raises:
        InputError: A fold is absent or unexpected, or as for `load`.
    """
    every = fold_seed.every(expected, 1)
    fold_seed.require(folder, every)
    found = {one.fold: load(folder / one.path) for one in every}
    return {fold: e for fold, e in found.items() if e.ensembles}


def _booster(path: Path) -> lgb.Booster:
    try:
        return lgb.Booster(model_file=path)
    except (OSError, lgb.basic.LightGBMError) as error:
        raise InputError(f"{path} must be a model of LightGBM. {error}") from None
