"""A threshold by cost: what a missed cancer weighs against a needless examination."""

from typing import Any

import numpy as np
import pandas as pd

from skinlesion.evaluation import bootstrap, operating
from skinlesion.evaluation.bootstrap import Both, Interval, Resamples

__all__ = ["measures", "threshold"]


def threshold(ratio: float) -> float:
    """Return the probability from which on an examination costs less than it spares.

    Args:
        ratio: The harm of a missed cancer, in needless examinations, > 0.

    Returns:
        In (0, 1). It is chosen out of fold where the probabilities are calibrated so.

    Source:
        Elkan (2001), The foundations of cost-sensitive learning, IJCAI, equation 2.
    """
    return 1 / (1 + ratio)


def measures(lesions: pd.DataFrame, resamples: Both, *, ratio: float) -> dict[str, Any]:
    """Measure what the threshold of a cost ratio finds, spares and costs.

    Args:
        lesions: patient_id, target and probability, one row per lesion; both classes.
        resamples: Of their patients. The threshold stays as it is.
        ratio: The harm of a missed cancer, in needless examinations, > 0.

    Returns:
        ratio and threshold; what `operating.at` measures; "spared", the examinations spared per
        1,000 lesions; "costs", per 1,000 lesions and in
        needless examinations, of the model, and of examining all and none; "better", the cheaper
        of these two here; and "saving", its cost less the model's.
    """
    level, free = threshold(ratio), resamples.free
    by_risk = lesions.assign(score=lesions["probability"])
    point = operating.at(by_risk, resamples, threshold=level)
    values = _costs(lesions, free, level, ratio)
    costs = {name: bootstrap.interval(v, free.confidence) for name, v in values.items()}
    better = "all" if values["all"][0] <= values["none"][0] else "none"
    saving = bootstrap.interval(values[better] - values["model"], free.confidence)
    # Where no cancer is missed, no resample misses one: as far as the sensitivity's limits go.
    low, high = _limits(point, float(lesions["target"].mean()), ratio)
    other = values[better][0]
    return {
        "ratio": ratio,
        "threshold": level,
        **point,
        "spared": _rest(point["per_1000"]["flagged"]),
        "costs": costs | {"model": bootstrap.widened(costs["model"], low, high)},
        "better": better,
        "saving": bootstrap.widened(saving, other - high, other - low),
    }


def _costs(
    lesions: pd.DataFrame, free: Resamples, level: float, ratio: float
) -> dict[str, np.ndarray]:
    """Costs per 1,000 lesions, of every resample."""
    positive = lesions["target"].to_numpy() == 1
    flagged = lesions["probability"].to_numpy() >= level
    n, n_positives, missed, false = bootstrap.totals(
        np.stack([np.ones(len(positive)), positive, positive & ~flagged, ~positive & flagged]),
        lesions,
        free,
    )
    return {
        "model": 1000 * (ratio * missed + false) / n,
        "all": 1000 * (n - n_positives) / n,
        "none": 1000 * ratio * n_positives / n,
    }


def _limits(point: dict[str, Any], prevalence: float, ratio: float) -> tuple[float, float]:
    """Costs at the limits of the sensitivity, all else as it is."""
    sensitivity: Interval = point["sensitivity"]
    missed = 1000 * prevalence * (1 - np.array([sensitivity["high"], sensitivity["low"]], float))
    low, high = ratio * missed + point["per_1000"]["false_alarms"]["value"]
    return float(low), float(high)


def _rest(flagged: Interval) -> Interval:
    """What is left of 1,000 lesions."""
    turned = {"value": "value", "low": "high", "high": "low"}
    return {
        k: None if (x := flagged[other]) is None else float(f"{1000 - x:.6g}")
        for k, other in turned.items()
    }
