"""Models of several seeds as one, and how they score."""

from dataclasses import dataclass

import lightgbm as lgb
import numpy as np

__all__ = ["Ensemble", "Fitted"]


@dataclass(frozen=True)
class Ensemble:
    """Models of several seeds, whose logits are averaged."""

    boosters: list[lgb.Booster]
    prior_shift: float

    def logits(self, values: np.ndarray) -> np.ndarray:
        """Score lesions.

        Args:
            values: Shape (n_lesions, n_columns), float32.

        Returns:
            Shape (n_lesions,), float64, on the true prior.
        """
        values, total = np.ascontiguousarray(values), np.zeros(len(values))
        for booster in self.boosters if len(values) else []:
            total += np.asarray(booster.predict(values, raw_score=True))
        return total / len(self.boosters) - self.prior_shift


@dataclass(frozen=True)
class Fitted:
    """An ensemble, and how it did round by round."""

    ensemble: Ensemble
    n_rounds: int
    log: dict[str, list[float]]  # of the first seed, by dvclive's names: a value per round
