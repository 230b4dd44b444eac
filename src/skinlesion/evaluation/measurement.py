"""All figures of a set of scored lesions, each with its interval."""

import re
from dataclasses import dataclass
from typing import Annotated, Any

import pandas as pd
from pydantic import Field, field_validator

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
from skinlesion.evaluation.bootstrap import Both
from skinlesion.evaluation.calibration import Calibrator
from skinlesion.params import Block, nearest

__all__ = ["Params", "columns", "evaluate", "joined"]

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

    @field_validator("patient_folds")
    @classmethod
    def _fixed(cls, run: str | None) -> str | None:
        if run is not None and not re.fullmatch("[0-9a-f]{7,40}", run):
            raise ValueError(
                "a commit in hexadecimal, or null: what a name or a file holds may change, and DVC "
                "would not see it. `skinlesion clinics COLUMN --against RUN` writes a run's commit"
            )
        return run


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
    present = {n: _resampled(t, p, sampling) for n, t in sets.items() if len(t)}
    measured, drawn = {}, {name: curves.empty() for name in sets}
    for name, scored in present.items():
        measured[name], drawn[name] = _measured(scored, sets["oof"], calibrator)
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


@dataclass(frozen=True)
class _Scored:
    """A set of lesions, resamples of their patients, and how it is measured."""

    lesions: pd.DataFrame
    resamples: Both
    p: Params
    sampling: bootstrap.Params


def _resampled(lesions: pd.DataFrame, p: Params, sampling: bootstrap.Params) -> _Scored:
    # Patients are looked up hundreds of times, and numbers are found sooner than names.
    patient = pd.factorize(lesions["patient_id"], sort=True)[0]
    lesions = lesions.assign(patient_id=patient)
    return _Scored(lesions, bootstrap.draw_both(lesions, sampling), p, sampling)


def _measured(
    s: _Scored, oof: pd.DataFrame, calibrator: Calibrator
) -> tuple[Details, dict[str, pd.DataFrame]]:
    """All figures of a set, then its curves."""
    risks = _risks(s, oof, calibrator)
    useful, looks = usefulness.measures(
        _orders(s.lesions, s.p),
        s.resamples,
        levels=s.p.sensitivities,
        cost_ratio=s.p.cost_ratio,
    )
    uncertain = uncertainty.measures(
        s.lesions,
        s.resamples,
        threshold=risks["operating_points"][0]["score_threshold"],
        min_tpr=s.sampling.min_tpr,
    )
    found = _counts(s.lesions) | _ranking(s) | risks | {"uncertainty": uncertain} | useful
    return found, looks | curves.draw(
        s.lesions, s.resamples, n_bins=s.p.n_bins, n_points=s.p.n_curve_points
    )


def _counts(lesions: pd.DataFrame) -> Details:
    positives = lesions[lesions["target"] == 1]
    return {
        "n_lesions": len(lesions),
        "n_positives": len(positives),
        "n_patients": lesions["patient_id"].nunique(),
        "n_patients_with_malignancy": positives["patient_id"].nunique(),
        "prevalence": len(positives) / len(lesions),
    }


def _ranking(s: _Scored) -> Details:
    stratified = s.resamples.stratified
    ranked, ranked_free = (
        ranking.rank(s.lesions, s.lesions["score"], x) for x in (stratified, s.resamples.free)
    )
    values = {
        "pauc": ranked.each(lambda roc: roc.partial_auc(s.sampling.min_tpr)),
        "auc": ranked.each(ranking.Roc.auc),
        "average_precision": ranked_free.each(ranking.Roc.average_precision),
    }
    found = {name: bootstrap.area(v, s.sampling.confidence) for name, v in values.items()}
    top_k, n_crowded = operating.retrieval(s.lesions, stratified, k=s.p.top_k)
    return {
        "n_crowded_patients": n_crowded,
        "ranking": found | {"top_k_sensitivity": top_k},
        "baseline": baseline.measures(s.lesions, s.p.baseline, s.sampling, stratified),
        "members": members.measures(s.lesions, s.sampling, stratified, k=s.p.top_k),
    }


def _risks(s: _Scored, oof: pd.DataFrame, calibrator: Calibrator) -> Details:
    points = operating.measures(
        s.lesions,
        oof,
        s.resamples,
        levels={"specificity": s.p.specificities, "sensitivity": s.p.sensitivities},
    )
    first = points[0]["threshold"]
    groups = subgroups.measures(
        s.lesions, s.resamples.stratified, threshold=first, min_positives=s.p.min_positives
    )
    for point in points:  # shown as they apply to the probabilities, and to the scores
        point["score_threshold"] = point["threshold"]
        point["threshold"] = float(calibrator.probability(min(point["threshold"], 1.0)))
    before = s.lesions.assign(probability=s.lesions["score"])
    return {
        "calibration": {
            "before": reliability.measures(before, s.resamples.free, n_bins=s.p.n_bins),
            "after": reliability.measures(s.lesions, s.resamples.free, n_bins=s.p.n_bins),
        },
        "operating_points": points,
        "subgroups": {
            "specificity": s.p.specificities[0],
            "threshold": points[0]["threshold"],
            "absent": subgroups.absent(s.lesions),
            "groups": groups,
        },
    }


def _orders(lesions: pd.DataFrame, p: Params) -> dict[str, pd.DataFrame]:
    """Lesions scored by the model and, where there are such, each alone and by the baseline."""
    found = {"model": lesions}
    if "score_alone" in lesions and not lesions["score_alone"].isna().any():
        found["alone"] = lesions.assign(score=lesions["score_alone"])
    if p.baseline is not None:
        found["baseline"] = baseline.scored(lesions, p.baseline)
    return found
