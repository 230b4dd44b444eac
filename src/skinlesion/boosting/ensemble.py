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
        return self.spread(values)[0]

    def spread(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Score lesions, and say how far the models are apart.

        Args:
            values: Shape (n_lesions, n_columns), float32.

        Returns:
            As `logits`; and the standard deviation of the models' logits, NaN of one model.
        """
        values = np.ascontiguousarray(values)
        found = np.zeros((len(self.boosters), len(values)))
        for i, booster in enumerate(self.boosters if len(values) else []):
            found[i] = booster.predict(values, raw_score=True)
        apart = found.std(0, ddof=1) if len(found) > 1 else np.full(len(values), np.nan)
        return np.asarray(sum(found) / len(found)) - self.prior_shift, apart


@dataclass(frozen=True)
class Fitted:
    """An ensemble, and how it did round by round."""

    ensemble: Ensemble
    n_rounds: int
    log: dict[str, list[float]]  # of the first seed, by dvclive's names: a value per round
