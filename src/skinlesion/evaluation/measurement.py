"""All figures of a set of scored lesions, each with its interval."""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import Field

from skinlesion.errors import InputError
from skinlesion.evaluation import (
    baseline,
    bootstrap,
    curves,
    members,
    operating,
    ranking,
    reliability,
    subgroups,
    uncertainty,
    usefulness,
)
from skinlesion.evaluation.bootstrap import Resamples
from skinlesion.evaluation.calibration import Calibrator
from skinlesion.params import Block, nearest

__all__ = ["Params", "columns", "evaluate", "headline", "joined", "summary"]

Level = Annotated[float, Field(gt=0, lt=1)]
Details = dict[str, Any]


class Params(Block):
    """Block `evaluate`: what is measured."""

    n_bins: int = Field(ge=2)
    n_curve_points: int = Field(ge=10)
    specificities: list[Level] = Field(min_length=1)
    sensitivities: list[Level] = Field(min_length=1)
    top_k: int = Field(ge=1)
    baseline: str | None
    cost_ratio: Annotated[float, Field(gt=0)] | None
    min_positives: int = Field(ge=1)
    patient_folds: str | None


def columns(present: list[str], p: Params) -> list[str]:
    """List the columns of the training metadata that are read: groups and the baseline.

    Args:
        present: The columns that the table has.
        p: The block `evaluate`.

    Returns:
        isic_id and those columns, each once.

    Raises:
        InputError: The baseline is no column of the table.
    """
    if p.baseline is not None and p.baseline not in present:
        raise InputError(
            f"evaluate.baseline must be a column of the table, or null. "
            f"Got {p.baseline!r} instead.{nearest(p.baseline, present)}"
        )
    grouped = [c for needed, _ in subgroups.ATTRIBUTES.values() for c in needed]
    wanted = dict.fromkeys(["isic_id", *grouped, *([p.baseline] if p.baseline else [])])
    return [c for c in wanted if c in present and c != "patient_id"]


def joined(scored: pd.DataFrame, lesions: pd.DataFrame) -> pd.DataFrame:
    """Join scores with the metadata of their lesions.

    Args:
        scored: isic_id, one row per lesion.
        lesions: isic_id and further columns, at least of these lesions.

    Returns:
        The columns of both, in the order of `scored`.

    Raises:
        InputError: A scored lesion is not among `lesions`.
    """
    found = scored.merge(lesions, on="isic_id", validate="one_to_one")
    if len(found) < len(scored):
        absent = sorted(set(scored["isic_id"]) - set(found["isic_id"]))[0]
        raise InputError(f"the metadata must hold every scored lesion. {absent} is absent.")
    return found


def evaluate(
    sets: dict[str, pd.DataFrame], calibrator: Calibrator, p: Params, sampling: bootstrap.Params
) -> tuple[Details, dict[str, dict[str, pd.DataFrame]]]:
    """Measure sets of scored lesions.

    Args:
        sets: By name, "oof", and "holdout", which may be empty: patient_id, target, score,
            probability and `columns`, one row per lesion. Thresholds are chosen on "oof".
        calibrator: What made the probabilities of the holdout.
        p: The block `evaluate`.
        sampling: The block `measure`.

    Returns:
        For metrics/details.json, what was measured, and the curves of each set by name.

    Raises:
        InputError: A set has lesions of one class only, or the baseline holds no numbers.
    """
    # Patients are looked up hundreds of times, and numbers are found sooner than names.
    sets = {name: lesions.assign(patient_id=_numbered(lesions)) for name, lesions in sets.items()}
    measured, drawn = {}, {name: curves.empty() for name in sets}
    both = {
        name: _Resampled(
            bootstrap.draw(lesions, sampling), bootstrap.draw(lesions, sampling, stratified=False)
        )
        for name, lesions in sets.items()
        if len(lesions)
    }
    for name, r in both.items():
        lesions = sets[name]
        measured[name] = _counts(lesions) | _ranking(lesions, p, sampling, r)
        measured[name] |= _risks(lesions, sets["oof"], calibrator, p, r)
        measured[name]["uncertainty"] = uncertainty.measures(
            lesions,
            r.stratified,
            r.free,
            threshold=measured[name]["operating_points"][0]["score_threshold"],
            min_tpr=sampling.min_tpr,
        )
        useful, looks = usefulness.measures(
            _orders(lesions, p),
            r.stratified,
            r.free,
            levels=p.sensitivities,
            cost_ratio=p.cost_ratio,
        )
        measured[name] |= useful
        drawn[name] = looks | curves.draw(
            lesions, r.stratified, r.free, n_bins=p.n_bins, n_points=p.n_curve_points
        )
    details = {
        "primary": "holdout" if "holdout" in measured else "oof",
        "min_tpr": sampling.min_tpr,
        "bootstrap": sampling.model_dump(),
        **p.model_dump(include={"top_k", "min_positives"}),
        "min_patients": subgroups.MIN_PATIENTS,
        "calibrator": calibrator.model_dump(),
        "sets": measured,
    }
    return details, drawn


def headline(details: Details) -> dict[str, dict[str, float]]:
    """Pick what `dvc exp show` displays: few columns, so that a sweep fits a screen.

    Args:
        details: From `evaluate`.

    Returns:
        pauc with its limits, and auc, of each set.
    """
    found = {}
    for name, measured in details["sets"].items():
        pauc, auc = measured["ranking"]["pauc"], measured["ranking"]["auc"]
        limits = {f"pauc_{k}": pauc[k] for k in ("low", "high") if pauc[k] is not None}
        found[name] = {"pauc": pauc["value"], **limits, "auc": auc["value"]}
    return found


def summary(details: Details) -> str:
    """Describe each set in a line: its pAUC and AUC with intervals, and its lesions.

    Args:
        details: From `evaluate`.
    """
    lines = []
    for name, measured in details["sets"].items():
        said = [
            f"{label} {i['value']:.4f} ({_limit(i['low'])} to {_limit(i['high'])})"
            for label, i in (
                ("pAUC", measured["ranking"]["pauc"]),
                ("AUC", measured["ranking"]["auc"]),
            )
        ]
        lines.append(
            f"{name:8s} {'  '.join(said)}  {measured['n_lesions']:,} lesions of "
            f"{measured['n_patients']:,} patients, {measured['n_positives']:,} positives"
        )
    if "holdout" not in details["sets"]:
        lines.append("no holdout: out-of-fold scores only, which may be a little too good")
    return "\n".join(lines)


@dataclass(frozen=True)
class _Resampled:
    """Resamples of the patients of a set: see `bootstrap.draw`."""

    stratified: Resamples
    free: Resamples


def _numbered(lesions: pd.DataFrame) -> np.ndarray:
    """Number patients in the order of their names."""
    return pd.factorize(lesions["patient_id"], sort=True)[0]


def _risks(
    lesions: pd.DataFrame, oof: pd.DataFrame, calibrator: Calibrator, p: Params, r: _Resampled
) -> Details:
    points = operating.measures(
        lesions,
        oof,
        r.stratified,
        r.free,
        levels={"specificity": p.specificities, "sensitivity": p.sensitivities},
    )
    first = points[0]["threshold"]
    groups = subgroups.measures(
        lesions, r.stratified, threshold=first, min_positives=p.min_positives
    )
    for point in points:  # shown as they apply to the probabilities, and to the scores
        point["score_threshold"] = point["threshold"]
        point["threshold"] = float(calibrator.probability(min(point["threshold"], 1.0)))
    before = lesions.assign(probability=lesions["score"])
    return {
        "calibration": {
            "before": reliability.measures(before, r.free, n_bins=p.n_bins),
            "after": reliability.measures(lesions, r.free, n_bins=p.n_bins),
        },
        "operating_points": points,
        "subgroups": {
            "specificity": p.specificities[0],
            "threshold": points[0]["threshold"],
            "absent": subgroups.absent(lesions),
            "groups": groups,
        },
    }


def _counts(lesions: pd.DataFrame) -> Details:
    positives = lesions[lesions["target"] == 1]
    return {
        "n_lesions": len(lesions),
        "n_positives": len(positives),
        "n_patients": lesions["patient_id"].nunique(),
        "n_patients_with_malignancy": positives["patient_id"].nunique(),
        "prevalence": len(positives) / len(lesions),
    }


def _ranking(
    lesions: pd.DataFrame, p: Params, sampling: bootstrap.Params, r: _Resampled
) -> Details:
    ranked, ranked_free = (
        ranking.rank(lesions, lesions["score"], x) for x in (r.stratified, r.free)
    )
    values = {
        "pauc": ranked.each(lambda roc: roc.partial_auc(sampling.min_tpr)),
        "auc": ranked.each(ranking.Roc.auc),
        "average_precision": ranked_free.each(ranking.Roc.average_precision),
    }
    found = {name: bootstrap.area(v, sampling.confidence) for name, v in values.items()}
    found["top_k_sensitivity"], n_crowded = operating.retrieval(lesions, r.stratified, k=p.top_k)
    return {
        "n_crowded_patients": n_crowded,
        "ranking": found,
        "baseline": baseline.measures(lesions, p.baseline, sampling, r.stratified),
        "members": members.measures(lesions, sampling, r.stratified, k=p.top_k),
    }


def _orders(lesions: pd.DataFrame, p: Params) -> dict[str, pd.DataFrame]:
    """Lesions scored by the model and, where there are such, each alone and by the baseline."""
    found = {"model": lesions}
    if "score_alone" in lesions and not lesions["score_alone"].isna().any():
        found["alone"] = lesions.assign(score=lesions["score_alone"])
    if p.baseline is not None:
        found["baseline"] = baseline.scored(lesions, p.baseline)
    return found


def _limit(value: float | None) -> str:
    return "?" if value is None else f"{value:.4f}"
