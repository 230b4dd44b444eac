"""Of what use a score is: by the lesions that one can look at, and by what mistakes cost."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from skinlesion.evaluation import cost, look_budget, net_benefit
from skinlesion.evaluation.bootstrap import Both

__all__ = ["measures"]


def measures(
    orders: Mapping[str, pd.DataFrame],
    resamples: Both,
    *,
    levels: Sequence[float],
    cost_ratio: float | None,
) -> tuple[dict[str, Any], dict[str, pd.DataFrame]]:
    """Measure of what use the scores of a set of lesions are.

    Args:
        orders: As for `look_budget.measures`; "model" with its probability.
        resamples: Of the patients.
        levels: Sensitivities to be reached by looking at some lesions of each patient.
        cost_ratio: The harm of a missed cancer, in needless examinations; None is not known.

    Returns:
        look_budget, net_benefit and, None without a ratio, cost; then the curves of the first two.
    """
    lesions = orders["model"]
    budget, looks = look_budget.measures(orders, resamples.stratified, levels=levels)
    net, benefit = net_benefit.measures(lesions, resamples.free)
    by_cost = None
    if cost_ratio is not None:
        by_cost = cost.measures(lesions, resamples, ratio=cost_ratio)
    found = {"look_budget": budget, "net_benefit": net, "cost": by_cost}
    return found, {"look_budget": looks, "net_benefit": benefit}
