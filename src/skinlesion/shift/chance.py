"""How far a set of lesions lies from another by chance, where lesions of a patient are alike.

Shares and means of two sets of patients differ even where the patients are of one kind, and the
more, the fewer patients there are, however many lesions each brings. What is compared with chance
is the weighted sum of squared differences.
"""

import numpy as np
from pydantic import Field
from scipy.special import fdtrc

from skinlesion.params import Block

__all__ = ["Chance", "Sizes", "fit", "sizes"]


class Sizes(Block):
    """How many lesions of how many patients."""

    n_lesions: int = Field(ge=0)
    n_patients: int = Field(ge=0)
    crowding: float = Field(gt=0, le=1)  # sum of squared shares of the lesions, over patients

    def spread_as(self, n_lesions: int) -> "Sizes":
        """Say how many patients so many lesions are of, if their crowding is as here.

        Args:
            n_lesions: Whose patients are not known.
        """
        crowding = min(1.0, self.crowding * self.n_lesions / max(1, n_lesions))
        return Sizes(n_lesions=n_lesions, n_patients=round(1 / crowding), crowding=crowding)


class Chance(Block):
    """Traces of the covariance within patients, W, and between them, B, and of their products."""

    w: float
    b: float
    ww: float
    wb: float
    bb: float

    def expected(self, here: Sizes, there: Sizes) -> float:
        """Return the mean of the sum of squares where both sets are of one kind.

        Args:
            here: One set.
            there: The other.
        """
        lesions, patients = _weights(here, there)
        return lesions * self.w + patients * self.b

    def p_value(self, squares: float, here: Sizes, there: Sizes) -> float:
        """Return how often chance alone gives as large a sum of squares.

        Args:
            squares: The sum, >= 0.
            here: One set.
            there: The other.

        Returns:
            In [0, 1]; 1 where one set has a single patient, of which nothing can be concluded.

        Source:
            Rao and Scott (1984), https://doi.org/10.1214/aos/1176346391, the second-order
            correction; in the F form of Thomas and Rao (1987), for few patients.
        """
        lesions, patients = _weights(here, there)
        mean = self.expected(here, there)
        variance = lesions**2 * self.ww + 2 * lesions * patients * self.wb + patients**2 * self.bb
        n_free = min(1 / here.crowding, 1 / there.crowding) - 1
        if n_free < 1 - 1e-9 or mean <= 0 or variance <= 0:
            return 1.0
        n = mean**2 / variance
        return float(fdtrc(n, n * n_free, squares / mean))


def sizes(patients: np.ndarray) -> Sizes:
    """Count lesions and patients.

    Args:
        patients: Shape (n_lesions,), a number from 0 for the patient of each.
    """
    n = np.bincount(patients) if len(patients) else np.zeros(0)
    n = n[n > 0].astype(np.float64)
    crowding = float((n**2).sum() / n.sum() ** 2) if len(n) else 1.0
    return Sizes(n_lesions=len(patients), n_patients=len(n), crowding=crowding)


def fit(products: np.ndarray, sums: np.ndarray, n: np.ndarray) -> Chance:
    """Estimate the covariances from a set of patients, by the analysis of variance.

    Args:
        products: Shape (k, k), the sum of x x' over lesions, each x scaled so that differences of
            its means are to be squared and summed.
        sums: Shape (n_patients, k), the sum of x over each patient's lesions.
        n: Shape (n_patients,), lesions of each; none is 0.

    Source:
        Searle, Casella and McCulloch (1992), Variance Components, 3.6.
    """
    n_lesions, n_patients = max(1.0, float(n.sum())), len(n)
    of_patients = (sums / n[:, None]).T @ sums
    total = sums.sum(0)
    between = (of_patients - np.outer(total, total) / n_lesions) / max(1, n_patients - 1)
    if n_lesions == n_patients:
        within, between = between, np.zeros_like(between)
    else:
        within = (products - of_patients) / (n_lesions - n_patients)
        typical = (n_lesions - (n**2).sum() / n_lesions) / max(1, n_patients - 1)
        between = _positive((between - within) / typical) if typical > 0 else within
    return Chance(
        w=float(np.trace(within)),
        b=float(np.trace(between)),
        ww=float((within * within.T).sum()),
        wb=float((within * between.T).sum()),
        bb=float((between * between.T).sum()),
    )


def _weights(here: Sizes, there: Sizes) -> tuple[float, float]:
    """What the variance of a difference of means holds of W, and of B."""
    lesions = 1 / max(1, here.n_lesions) + 1 / max(1, there.n_lesions)
    return lesions, here.crowding + there.crowding


def _positive(covariance: np.ndarray) -> np.ndarray:
    """Set negative eigenvalues, which are of chance, to zero."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    return np.asarray((vectors * np.maximum(values, 0)) @ vectors.T)
