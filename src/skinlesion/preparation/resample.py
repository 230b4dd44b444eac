"""Choose which training lesions each epoch sees, and how much each weighs."""

from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from skinlesion.params import Block

__all__ = ["Params", "draw", "prior_shift", "summary"]

Weight = Annotated[float, Field(gt=0)]


class Params(Block):
    """Block `resample`: how class imbalance is handled."""

    positive_repeats: int = Field(ge=1)
    negatives_per_positive: float | None = Field(gt=0)
    negative_fraction: float = Field(gt=0, le=1)
    max_negatives_per_patient: int | None = Field(ge=1)
    n_planned_epochs: int = Field(ge=1)
    class_weights: (
        Literal["none", "balanced"] | Annotated[list[Weight], Field(min_length=2, max_length=2)]
    )
    seed: int = Field(ge=0)

    @model_validator(mode="after")
    def _one_way_to_count(self) -> "Params":
        if self.negatives_per_positive is not None and self.negative_fraction < 1:
            raise ValueError("a block that sets negatives_per_positive or negative_fraction < 1")
        return self


def draw(lesions: pd.DataFrame, p: Params) -> pd.DataFrame:
    """Plan the lesions of each epoch.

    Every positive is in every epoch, `p.positive_repeats` times. Negatives are drawn without
    replacement, those seen least often first; at most `p.max_negatives_per_patient` of a patient
    in one epoch. Where that limit binds nowhere, all are seen before any is seen twice. When
    every negative is in every epoch, the one plan serves all epochs and is written once.

    Args:
        lesions: isic_id, patient_id and target, one row each; their order is irrelevant.
        p: The block `resample`.

    Returns:
        epoch (from 0), isic_id and weight (mean 1 over an epoch), sorted by epoch and isic_id.
        Epoch e of a training uses plan e modulo the number of planned epochs.
    """
    lesions = lesions.sort_values("isic_id", ignore_index=True)
    positives = lesions.loc[lesions["target"] == 1, "isic_id"].repeat(p.positive_repeats)
    negatives = lesions[lesions["target"] == 0].reset_index(drop=True)
    n_wanted = _n_negatives(p, n_positives=len(positives) // p.positive_repeats, n=len(negatives))
    chosen = _rotate(negatives, n_wanted, p)
    plans = [_plan(positives, negatives["isic_id"].iloc[rows], p.class_weights) for rows in chosen]
    return pd.concat(plans, keys=range(len(plans)), names=["epoch"]).reset_index("epoch")


def prior_shift(lesions: pd.DataFrame, draws: pd.DataFrame) -> float:
    """Compute how far resampling and weighting move the logit of a model fitted to `draws`.

    Args:
        lesions: isic_id and target of the fold's training lesions, at their true prevalence.
        draws: As returned by `draw`.

    Returns:
        log odds of the drawn, weighted lesions - log odds of `lesions`. Subtract it from a
        model's logits to put its scores on the true prior; their order stays.

    Source:
        Elkan (2001), The Foundations of Cost-Sensitive Learning, theorem 2.
    """
    target = draws["isic_id"].map(lesions.set_index("isic_id")["target"])
    seen = draws.groupby(target)["weight"].sum()
    true = lesions["target"].value_counts()
    return float(np.log(seen[1] / seen[0]) - np.log(true[1] / true[0]))


def summary(lesions: pd.DataFrame, draws: pd.DataFrame) -> str:
    """Describe an epoch in a line, and how many of the negatives the plan ever shows.

    Args:
        lesions: isic_id and target of the fold's training lesions.
        draws: As returned by `draw`.
    """
    target = draws["isic_id"].map(lesions.set_index("isic_id")["target"])
    n_plans = draws["epoch"].nunique()
    n_seen = draws.loc[target == 0, "isic_id"].nunique()
    return (
        f"an epoch holds {int(target.sum() / n_plans):,} positives and about "
        f"{int((target == 0).sum() / n_plans):,} negatives; {n_plans} planned, which show "
        f"{n_seen:,} of {int((lesions['target'] == 0).sum()):,} negatives"
    )


def _n_negatives(p: Params, *, n_positives: int, n: int) -> int:
    if p.negatives_per_positive is not None:
        return min(n, max(1, round(p.negatives_per_positive * n_positives)))
    return max(1, round(p.negative_fraction * n))


def _rotate(negatives: pd.DataFrame, n_wanted: int, p: Params) -> list[np.ndarray]:
    """Rows of `negatives` for each epoch, those seen least often first."""
    rng = np.random.default_rng(p.seed)
    patient = negatives["patient_id"].astype("category").cat.codes.to_numpy()
    cap = p.max_negatives_per_patient or len(negatives)
    n_seen = np.zeros(len(negatives), int)
    chosen = []
    for _ in range(p.n_planned_epochs):
        order = np.lexsort((rng.random(len(negatives)), n_seen))
        rank = pd.Series(patient[order]).groupby(patient[order]).cumcount().to_numpy()
        rows = order[rank < cap][:n_wanted]
        n_seen[rows] += 1
        chosen.append(np.sort(rows))
        if len(rows) == len(negatives):
            break
    return chosen


def _plan(
    positives: pd.Series, negatives: pd.Series, class_weights: str | list[float]
) -> pd.DataFrame:
    n = {1: len(positives), 0: len(negatives)}
    if class_weights == "none":
        weight = {0: 1.0, 1: 1.0}
    elif class_weights == "balanced":
        weight = {c: (n[0] + n[1]) / (2 * n[c]) for c in n}
    else:
        weight = {c: float(class_weights[c]) for c in n}
    mean = sum(n[c] * weight[c] for c in n) / (n[0] + n[1])
    plan = pd.concat(
        [
            pd.DataFrame({"isic_id": ids, "weight": weight[c] / mean})
            for c, ids in ((1, positives), (0, negatives))
        ]
    )
    return plan.sort_values("isic_id", ignore_index=True)
