"""A combination: one score of several members', with weights fitted out of fold."""

from collections.abc import Collection
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import expit

from skinlesion.evaluation import calibration
from skinlesion.params import Block, load_json

__all__ = ["ALONE", "SPREADS", "Combination", "load", "save", "summary"]

# A member's scores where each lesion is read as its patient's only one; others do not differ.
ALONE = {"table": "table_alone"}
# How far a member's logit spreads, by source.
SPREADS = {
    "network": ("network_sd_folds", "network_sd_seeds", "network_sd_views"),
    "table": ("table_sd_folds", "table_sd_seeds"),
}


class Combination(Block):
    """One score of several members'."""

    method: Literal["one", "logistic", "ranks"]
    weights: dict[str, float]  # by member; their sum is 1
    ranks: dict[str, list[float]]  # by member, logits out of fold at equal steps of their rank

    def score(self, scores: pd.DataFrame, *, alone: bool = False) -> np.ndarray:
        """Combine scores.

        Args:
            scores: A column of scores per member, in [0, 1].
            alone: Whether each lesion counts as its patient's only one.

        Returns:
            Shape (n_lesions,), in [0, 1]: the only member's score; or that of the weighted mean
            of the logits; or the weighted mean of the ranks among the out-of-fold lesions.
        """
        columns = {name: ALONE.get(name, name) if alone else name for name in self.weights}
        given = {name: scores[column].to_numpy(np.float64) for name, column in columns.items()}
        if self.method == "one":
            return next(iter(given.values()))
        logits = {name: calibration.logits(of) for name, of in given.items()}
        if self.method == "logistic":
            return np.asarray(expit(self._mean(logits)))
        return self._mean({name: self._rank(name, z) for name, z in logits.items()})

    def uncertainty(self, scores: pd.DataFrame, *, varying: Collection[str] = ()) -> np.ndarray:
        """Say how far the models that made a score are apart.

        Args:
            scores: The columns of SPREADS, those that there are.
            varying: Columns that hold a number for each lesion that the member could score. So do
                those with one for any of these lesions.

        Returns:
            Shape (n_lesions,), the standard deviation of the logit of `score` over folds, seeds
            and views, as if these moved it independently of each other. NaN where the members
            that count are of one model and one view; where one that counts and varies could not
            score the lesion, whose tile is unreadable; or where ranks are combined, not logits.
        """
        if self.method == "ranks":
            return np.full(len(scores), np.nan)
        variances = {
            column: weight**2 * scores[column].to_numpy(np.float64) ** 2
            for name, weight in self.weights.items()
            for column in SPREADS[name]
            if weight and column in scores
        }
        table = pd.DataFrame(variances, scores.index, dtype=np.float64)
        wanted = [c for c in table if c in varying or table[c].notna().any()]
        total = table[wanted].sum(axis=1, min_count=max(1, len(wanted)))
        return np.asarray(np.sqrt(total))

    def apply(self, scores: pd.DataFrame) -> pd.DataFrame:
        """Combine scores, and say how sure they are.

        Args:
            scores: As for `score` and `uncertainty`, the lesions alone as well.

        Returns:
            score, score_alone, of each lesion as its patient's only one, and uncertainty; with
            the index of `scores`.
        """
        return pd.DataFrame(
            {
                "score": self.score(scores),
                "score_alone": self.score(scores, alone=True),
                "uncertainty": self.uncertainty(scores),
            },
            scores.index,
        )

    def _mean(self, values: dict[str, np.ndarray]) -> np.ndarray:
        return np.asarray(sum(weight * values[name] for name, weight in self.weights.items()))

    def _rank(self, name: str, logits: np.ndarray) -> np.ndarray:
        steps = self.ranks[name]
        places = (np.arange(len(steps)) + 0.5) / len(steps)
        return np.asarray(np.interp(logits, steps, places))


def save(path: Path, combined: Combination) -> None:
    """Write a combination.

    Args:
        path: combination.json.
        combined: From `stacking.fit`.
    """
    path.write_text(combined.model_dump_json(indent=1) + "\n")


def load(path: Path) -> Combination:
    """Read a combination.

    Args:
        path: combination.json.

    Raises:
        InputError: The file is absent or is no combination.
    """
    return load_json(path, Combination, "a combination")


def summary(combined: Combination) -> str:
    """Say in a line what the score is made of.

    Args:
        combined: From `stacking.fit`.
    """
    said = " + ".join(f"{weight:.2f} {name}" for name, weight in combined.weights.items())
    of = {"one": "the score of", "logistic": "log odds:", "ranks": "ranks out of fold:"}
    return f"{of[combined.method]} {said}"
