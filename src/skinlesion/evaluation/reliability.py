"""Reliability of probabilities: calibration slope, intercept and error; losses.

Van Calster et al. (2019), Calibration: the Achilles heel of predictive analytics,
https://doi.org/10.1186/s12916-019-1466-7
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.special import entr, expit

from skinlesion.evaluation import bootstrap
from skinlesion.evaluation.bootstrap import Interval, Resamples
from skinlesion.evaluation.calibration import logits
from skinlesion.evaluation.regression import line, logistic

__all__ = ["curve", "measures", "slope_and_intercept"]


def measures(lesions: pd.DataFrame, resamples: Resamples, *, n_bins: int) -> dict[str, Interval]:
    """Measure probabilities, with intervals.

    Args:
        lesions: patient_id, target and probability, one row per lesion; both classes.
        resamples: Of their patients.
        n_bins: Of the expected calibration error, equally many lesions each.

    Returns:
        log_loss (nats per lesion) and brier, each with the value of the base rate, the share of
        positives in the resample itself, and the skill, 1 - loss / loss of the base rate;
        slope and intercept of the calibration: 1 and 0 for risks that are true, slope below 1
        for risks that are too extreme, intercept below 0 for risks that are too high (it is that
        of slope 1, calibration in the large); expected_calibration_error, the mean distance of a
        bin's share of positives from its mean probability, with that of true risks beside it:
        even they miss each bin by chance. Resampling adds to that, so its interval lies high.
    """
    y_true, z = lesions["target"].to_numpy(), logits(lesions["probability"])
    log_loss, squared = np.logaddexp(0, z) - y_true * z, (expit(z) - y_true) ** 2
    n, positive, *losses = bootstrap.totals(
        np.stack([np.ones(len(z)), y_true, log_loss, squared]), lesions, resamples
    )
    rate = positive / n
    with np.errstate(invalid="ignore", divide="ignore"):
        values = _losses("log_loss", losses[0] / n, entr(rate) + entr(1 - rate))
        values |= _losses("brier", losses[1] / n, rate * (1 - rate))
        values |= slope_and_intercept(lesions, resamples)
        values["expected_calibration_error"] = _error(lesions, resamples, n_bins) / n
        values["expected_calibration_error_of_true_risks"] = _by_chance(lesions, n_bins) / n
    return {k: bootstrap.interval(v, resamples.confidence) for k, v in values.items()}


def curve(lesions: pd.DataFrame, resamples: Resamples, *, n_bins: int) -> pd.DataFrame:
    """Compare probabilities with shares of positives, in bins of equally many lesions.

    Args:
        lesions: patient_id, target and probability, one row per lesion.
        resamples: Of their patients.
        n_bins: Number of bins; fewer where probabilities tie.

    Returns:
        mean_score, prevalence, and low and high of the prevalence, one row per bin.
    """
    rows = []
    for members in _bins(lesions, n_bins):
        n, positive, risk = _sums(members, resamples)
        n_patients = members["patient_id"].nunique()
        with np.errstate(invalid="ignore"):
            found = bootstrap.share(positive / n, resamples.confidence, n_patients=n_patients)
        rows.append([risk[0] / n[0], found["value"], found["low"], found["high"]])
    return pd.DataFrame(rows, columns=["mean_score", "prevalence", "low", "high"])


def slope_and_intercept(lesions: pd.DataFrame, resamples: Resamples) -> dict[str, np.ndarray]:
    """Fit the calibration's slope and intercept anew to each resample.

    Lesions whose log odds agree to a hundredth are fitted as one row; that moves neither by as
    much as 0.001, and a thousand fits take a second or two at any number of lesions.

    Args:
        lesions: patient_id, target and probability, one row per lesion.
        resamples: Of their patients.

    Returns:
        slope and intercept, as `measures` defines them, shape (1 + n_resamples,); NaN where no
        finite fit exists.
    """
    y_true, z = lesions["target"].to_numpy(), logits(lesions["probability"])
    row = np.unique(np.round(z, 2), return_inverse=True)[1]
    level = np.bincount(row, z) / np.bincount(row)
    slope, intercept = [], []
    for n, positive in _counted(row, y_true, lesions, resamples):
        slope.append(line(level, positive, n)[1])
        intercept.append(logistic(np.ones((len(level), 1)), positive, n, offset=level)[0])
    return {"slope": np.concatenate(slope), "intercept": np.concatenate(intercept)}


def _losses(name: str, loss: np.ndarray, of_base_rate: np.ndarray) -> dict[str, np.ndarray]:
    return {
        name: loss,
        f"{name}_of_base_rate": of_base_rate,
        f"{name}_skill": 1 - loss / of_base_rate,
    }


def _counted(
    row: np.ndarray, y_true: np.ndarray, lesions: pd.DataFrame, resamples: Resamples
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Lesions and positives of each row in some of the resamples, shape (n_rows, n) each."""
    shape, codes = (row.max() + 1, len(resamples.patients)), resamples.codes(lesions)
    tables = [csr_array((weight, (row, codes)), shape) for weight in (np.ones(len(row)), y_true)]
    step = max(1, bootstrap.N_CELLS // max(shape))
    for i in range(0, len(resamples.counts), step):
        counts = resamples.counts[i : i + step].T.astype(np.float64)
        yield tables[0] @ counts, tables[1] @ counts


def _error(lesions: pd.DataFrame, resamples: Resamples, n_bins: int) -> np.ndarray:
    apart = np.zeros(len(resamples.counts))
    for members in _bins(lesions, n_bins):
        _, positive, risk = _sums(members, resamples)
        apart += np.abs(positive - risk)
    return apart


def _by_chance(lesions: pd.DataFrame, n_bins: int) -> float:
    """Mean distance of the positives of each bin from true risks: that of a normal variable."""
    risks = [members["probability"].to_numpy() for members in _bins(lesions, n_bins)]
    return float(sum(np.sqrt(2 / np.pi * np.sum(q * (1 - q))) for q in risks))


def _sums(lesions: pd.DataFrame, resamples: Resamples) -> np.ndarray:
    values = lesions[["target", "probability"]].to_numpy(np.float64).T
    return bootstrap.totals(np.vstack([np.ones(len(lesions)), values]), lesions, resamples)


def _bins(lesions: pd.DataFrame, n_bins: int) -> list[pd.DataFrame]:
    """Split lesions by probability; equal ones stay together, whatever the order of the rows."""
    lower = lesions["probability"].rank(method="min").to_numpy() - 1  # lesions below each
    number = (lower * n_bins / len(lesions)).astype(int)
    measured = lesions[["patient_id", "target", "probability"]]
    return [measured[number == i] for i in np.unique(number)]
