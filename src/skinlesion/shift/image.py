"""The image features of training lesions: their mean, their covariance, and usual distances."""

import numpy as np
import pandas as pd
from pydantic import Field

from skinlesion.params import Block
from skinlesion.shift import bins, chance
from skinlesion.shift.bins import Numbers
from skinlesion.shift.chance import Chance, Sizes

__all__ = ["Image", "distance", "fit", "shrunk"]

N_PARTS = 5  # of the patients; a lesion's distance is from the mean of the other parts
AT_A_TIME = 20_000  # lesions
N_DIGITS = 6
FENCE = 3.0  # quartile ranges above the upper quartile, beyond which a value is far out
LEAST_SD = 1e-3  # of a feature, as a share of the median one: what never varied has no scale


class Image(Block):
    """What the image features of a network were, of lesions that it had not learnt from."""

    fold: int  # of the network
    mean: list[float]
    whitening: list[list[float]]  # with the mean taken away, times this: mean 0, covariance 1
    distances: Numbers  # of lesions whose patients the mean was not taken of
    far: float = Field(gt=0)  # a distance above this is far outside the training data
    sizes: Sizes
    chance: Chance  # of the mean

    def standardised(self, sketches: np.ndarray) -> np.ndarray:
        """Turn features into numbers of mean 0, spread 1 and no correlation.

        Args:
            sketches: Shape (n_lesions, k), from `sketch.of`; NaN where there are none.

        Returns:
            The same shape, float64.
        """
        off = sketches.astype(np.float64) - np.array(self.mean)
        return np.asarray(np.einsum("nk,kj->nj", off, np.array(self.whitening)))


def distance(standardised: np.ndarray) -> np.ndarray:
    """Return Mahalanobis distances.

    Args:
        standardised: Shape (n_lesions, k), from `Image.standardised`.

    Returns:
        Shape (n_lesions,), divided by the root of k: about 1 for a lesion like the training ones.
    """
    return np.asarray(np.sqrt((standardised**2).mean(1)))


def fit(sketches: np.ndarray, patients: np.ndarray, *, fold: int) -> Image | None:
    """Summarise image features.

    Args:
        sketches: Shape (n_lesions, k), from `sketch.of`, of lesions whose patients the network
            did not learn from; it may be a file on disk.
        patients: Shape (n_lesions,), the number from 0 of the patient of each.
        fold: Of the network.

    Returns:
        None where there are too few lesions or patients to say what is usual.

    Source:
        Lee et al. (2018), https://arxiv.org/abs/1807.03888: Mahalanobis distances of a network's
        features find what it has not seen.
    """
    n_lesions, k = sketches.shape
    if len(np.unique(patients)) < 2 * N_PARTS or n_lesions < 2 * k:
        return None
    part = patients % N_PARTS
    distances = np.empty(n_lesions)
    for i in range(N_PARTS):
        mean, whitening = _whitening(sketches, part != i)
        rows = np.flatnonzero(part == i)
        off = np.asarray(sketches[rows], np.float64) - mean
        distances[rows] = distance(np.einsum("nk,kj->nj", off, whitening))
    mean, whitening = _whitening(sketches, np.ones(n_lesions, bool))
    z = np.einsum("nk,kj->nj", np.asarray(sketches, np.float64) - mean, whitening)
    return Image(
        fold=fold,
        mean=_digits(mean),
        whitening=[_digits(row) for row in whitening],
        distances=bins.fit_numbers(pd.Series(distances), patients),
        far=_fence(distances),
        sizes=chance.sizes(patients),
        chance=_chance(z, patients),
    )


def shrunk(x: np.ndarray) -> np.ndarray:
    """Estimate a covariance, drawn towards a sphere as far as its own noise asks for.

    Args:
        x: Shape (n_lesions, k).

    Returns:
        Shape (k, k).

    Source:
        Ledoit and Wolf (2004), https://doi.org/10.1016/S0047-259X(03)00096-4
    """
    n, k = x.shape
    x = x - x.mean(0)
    sample = np.einsum("ni,nj->ij", x, x) / n
    sphere = np.trace(sample) / k * np.eye(k)
    distance = ((sample - sphere) ** 2).sum()
    noise = (((x**2).sum(1) ** 2).sum() / n - (sample**2).sum()) / n
    share = min(1.0, noise / distance) if distance > 0 else 1.0
    return np.asarray(share * sphere + (1 - share) * sample)


def _whitening(sketches: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x = np.asarray(sketches[rows], np.float64)
    mean, sd = x.mean(0), x.std(0)
    scale = np.maximum(sd, LEAST_SD * np.median(sd)) if sd.any() else np.ones_like(sd)
    values, vectors = np.linalg.eigh(shrunk((x - mean) / scale))
    return mean, vectors / np.sqrt(np.maximum(values, LEAST_SD)) / scale[:, None]


def _chance(z: np.ndarray, patients: np.ndarray) -> Chance:
    n = np.bincount(patients)
    sums = np.stack([np.bincount(patients, column, minlength=len(n)) for column in z.T], axis=1)
    return chance.fit(np.einsum("ni,nj->ij", z, z), sums[n > 0], n[n > 0].astype(np.float64))


def _fence(distances: np.ndarray) -> float:
    """Tukey's outer fence, of logarithms."""
    low, high = np.quantile(np.log(np.maximum(distances, 1e-9)), [0.25, 0.75])
    return float(f"{np.exp(high + FENCE * (high - low)):.{N_DIGITS}g}")


def _digits(values: np.ndarray) -> list[float]:
    return [float(f"{value:.{N_DIGITS}g}") for value in values]
