"""The table experts of a bundle: from the rows and tiles of lesions to their logits."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from skinlesion.boosting import columns, contributions, expert
from skinlesion.bundle import words
from skinlesion.dataset import fold_seed, stores
from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.derivation import derived, numbers, relative, tiles
from skinlesion.derivation.plan import Params, Plan
from skinlesion.params import Block, load_json
from skinlesion.scoring import spread

__all__ = ["SETTINGS", "Reason", "Settings", "Table", "load"]

SETTINGS = "settings.json"


class Settings(Block):
    """How numbers are made of lesions."""

    derive: Params
    plan: Plan


@dataclass(frozen=True)
class Reason:
    """What one column gives to the logit of a lesion."""

    feature: str  # as `derive` names it
    label: str  # the same in words
    value: float | str | None  # None where it is missing
    contribution: float  # to the log odds; positive speaks for a cancer


@dataclass(frozen=True)
class Table:
    """The table experts, and how numbers are made for them."""

    settings: Settings
    experts: Mapping[int, expert.Expert]  # by fold

    @property
    def numeric(self) -> list[str]:
        """The columns that are read as numbers."""
        plan, formulas = self.settings.plan, {f.name: f.needs for f in derived.FORMULAS}
        found = [*plan.base, *(c for name in plan.derived for c in formulas[name])]
        is_area = any(name.startswith("total_area") for name in plan.relative)
        return list(dict.fromkeys([*found, *[derived.COLUMNS["S"]] * is_area]))

    @property
    def text(self) -> list[str]:
        """The columns that are read as text, without the lesion's and the patient's name."""
        groups = {name.rpartition("|")[2] for name in self.settings.plan.relative}
        shared = [c for name in sorted(groups) for c in relative.GROUPS[name]]
        names = dict.fromkeys([*self.settings.plan.categorical, *shared])
        return [name for name in names if name != "patient_id"]

    def read(self, lesions: pd.DataFrame, store: stores.Store) -> dict[int, np.ndarray]:
        """Make the matrix that each expert reads.

        Args:
            lesions: isic_id, maybe patient_id, and the columns above, one row per lesion. What a
                number is relative to are the patient's lesions among them.
            store: The tiles.

        Returns:
            By fold, shape (n_lesions, n_columns), float32.
        """
        p, plan, n = self.settings.derive, self.settings.plan, len(lesions)
        measured = None
        if plan.tile:
            measured = tiles.measure(lesions["isic_id"].tolist(), store, p.tile)
        given = numbers.compute(lesions, plan, p, tiles=measured)
        named = {**given, **{name: lesions[name] for name in plan.categorical}}
        return {
            fold: columns.filled(named, e.columns, e.categories, n=n)
            for fold, e in self.experts.items()
        }

    def logits(self, values: Mapping[int, np.ndarray]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Score lesions, on the true prior.

        Args:
            values: From `read`.

        Returns:
            Shape (n_lesions,), float64, the mean over the experts: beside the patient's other
            lesions where there are enough of them, else as if each were the only one. And how far
            it spreads, as from `members.score`: table_sd_folds and table_sd_seeds.
        """
        each = {fold: self.experts[fold].logits(v) for fold, v in values.items()}
        found = spread.of({FoldSeed(fold): s.context[np.newaxis] for fold, s in each.items()})
        squares = [s.spread**2 for s in each.values()]
        return found["logit"], {
            "table_sd_folds": found["sd_folds"],
            "table_sd_seeds": np.sqrt(np.mean(squares, axis=0)),
        }

    def reasons(
        self, values: Mapping[int, np.ndarray], lesions: pd.DataFrame
    ) -> list[list[Reason]]:
        """Say what speaks for and against each lesion, the largest contributions first.

        Args:
            values: From `read`.
            lesions: The same lesions.

        Returns:
            Per lesion a reason for each column that moves its mean logit.
        """
        total: dict[str, np.ndarray] = {}
        given: dict[str, np.ndarray] = {}
        for fold, v in values.items():
            e = self.experts[fold]
            parts = contributions.of(e, v) / len(values)
            for i, name in enumerate(e.columns.names):
                total[name] = total.get(name, 0.0) + parts[:, i]
                given[name] = lesions[name].to_numpy() if name in e.categories else v[:, i]
        names = sorted(total)
        table = np.stack([total[name] for name in names], axis=1)
        order = np.argsort(-np.abs(table), axis=1, kind="stable")

        def reason(row: int, i: int) -> Reason:
            name, value = names[i], _plain(given[names[i]][row])
            return Reason(name, words.of(name), value, float(table[row, i]))

        return [
            [reason(row, i) for i in order[row] if table[row, i]] for row in range(len(lesions))
        ]


def load(folder: Path) -> Table | None:
    """Load the table experts; None where the bundle has none.

    Args:
        folder: Holds settings.json, and a folder fold-K per fold.

    Raises:
        InputError: A file is absent or malformed.
    """
    if not folder.is_dir():
        return None
    path = folder / SETTINGS
    settings = load_json(path, Settings, "the settings of table experts")
    folds = [one.fold for one in fold_seed.found(folder)]
    return Table(settings, expert.load_folds(folder, expected=folds))


def _plain(value: object) -> float | str | None:
    if value is None or value != value:  # NaN
        return None
    return value if isinstance(value, str) else float(f"{value:.6g}")
