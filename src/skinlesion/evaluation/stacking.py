"""Fit the weights of a combination to out-of-fold scores (stacking).

Wolpert (1992), Stacked generalization, https://doi.org/10.1016/S0893-6080(05)80023-1; Breiman
(1996), Stacked regressions, https://doi.org/10.1007/BF00117832, on weights that are not negative.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field, field_validator

from skinlesion.errors import InputError
from skinlesion.evaluation import calibration, regression
from skinlesion.evaluation.combination import Combination

__all__ = ["Params", "fit", "nested", "present"]

N_STEPS = 1000  # between the out-of-fold logits that stand for their ranks


class Params(calibration.Params):
    """Block `calibrate`: which members are combined, and how scores become probabilities."""

    members: list[Literal["network", "table"]] = Field(min_length=1)
    combine: Literal["logistic", "ranks"]

    @field_validator("members")
    @classmethod
    def _each_once(cls, members: list[str]) -> list[str]:
        if len(set(members)) < len(members):
            raise ValueError("a list that names each member once")
        return members


def present(scored: pd.DataFrame, p: Params) -> list[str]:
    """List the members that have scores.

    Args:
        scored: From `score_tables.join`.
        p: The block `calibrate`.

    Raises:
        InputError: None has.
    """
    names: list[str] = [name for name in p.members if name in scored]
    if not names:
        raise InputError(f"calibrate.members must name a member with scores. Got {p.members}.")
    return names


def fit(oof: pd.DataFrame, members: list[str], p: Params) -> Combination:
    """Fit the weights.

    Args:
        oof: patient_id, target and the members' scores, each of models that did not learn from
            the patient.
        members: From `present`.
        p: The block `calibrate`.

    Returns:
        By p.combine, "logistic": the weights of a logistic regression on the logits, none
        negative; equal ones where fewer than p.n_parts patients have a malignancy, or no finite
        fit exists. "ranks": equal weights.
    """
    if len(members) == 1:
        return Combination(method="one", weights={members[0]: 1.0}, ranks={})
    logits = {name: calibration.logits(oof[name]) for name in members}
    equal = {name: 1 / len(members) for name in members}
    if p.combine == "ranks":
        steps = np.linspace(0, 1, N_STEPS + 1)
        ranks = {name: np.quantile(z, steps).tolist() for name, z in logits.items()}
        return Combination(method="ranks", weights=equal, ranks=ranks)
    is_enough = _n_malignant(oof) >= p.n_parts
    weights = _weights(logits, oof["target"].to_numpy()) if is_enough else {}
    return Combination(method="logistic", weights=weights or equal, ranks={})


def nested(oof: pd.DataFrame, members: list[str], p: Params) -> pd.DataFrame:
    """Combine scores and turn them into probabilities without any patient deciding on their own.

    Args:
        oof: As for `fit`.
        members: From `present`.
        p: The block `calibrate`.

    Returns:
        The columns of `Combination.apply`, and probability, in the order of `oof`. Each part of
        the patients is combined and calibrated by the others. Where the others of any part have
        no calibrator, every probability is the score itself.
    """
    if len(members) == 1:  # nothing is fitted to combine
        found = fit(oof, members, p).apply(oof)
        return found.assign(probability=calibration.nested(oof.assign(score=found["score"]), p))
    part = calibration.parts(oof, p)
    # Whether there are enough to fit is decided once, by all: the others of a part are fewer.
    is_enough = _n_malignant(oof) >= p.n_parts
    of_part = p.model_copy(update={"n_parts": 1}) if is_enough else p
    found = pd.concat(
        [_by_others(oof[part == i], oof[part != i], members, of_part) for i in range(p.n_parts)]
    ).loc[oof.index]
    if found["probability"].isna().any():  # else scores would stand among probabilities
        found["probability"] = found["score"]
    return found


def _by_others(
    own: pd.DataFrame, others: pd.DataFrame, members: list[str], p: Params
) -> pd.DataFrame:
    """One part's columns, as for `nested`; no probability where the others have no calibrator."""
    combined = fit(others, members, p)
    found = combined.apply(own)
    calibrator = calibration.fit(others.assign(score=combined.score(others)), p)
    if calibrator.method == "none":
        return found.assign(probability=np.nan)
    return found.assign(probability=calibrator.probability(found["score"]))


def _n_malignant(lesions: pd.DataFrame) -> int:
    return int(lesions.loc[lesions["target"] == 1, "patient_id"].nunique())


def _weights(logits: Mapping[str, np.ndarray], y_true: np.ndarray) -> dict[str, float]:
    """Weights of a logistic regression, scaled to a sum of 1; {} where none can be fitted."""
    names = list(logits)
    while names:
        z = np.column_stack([logits[name] for name in names])
        middle, spread = z.mean(0), np.where(z.std(0) > 0, z.std(0), 1.0)
        design = np.column_stack([np.ones(len(z)), (z - middle) / spread])
        drawn_in = calibration.targets(y_true)[:, None]
        beta = regression.logistic(
            design, drawn_in, np.ones_like(drawn_in), offset=np.zeros(len(z))
        )[1:, 0]
        if not np.isfinite(beta).all():
            return {}
        if (beta > 0).all():
            weight = beta / spread / (beta / spread).sum()
            return {name: float(w) for name, w in zip(names, weight, strict=True)}
        names.pop(int(np.argmin(beta)))  # a member that counts against itself is left out
    return {}
