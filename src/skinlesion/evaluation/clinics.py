"""In another clinic: each clinic scored by models, thresholds and calibration of the others.

The same lesions, in a run whose folds are of patients, were scored by models that knew their
clinic. The difference is what a new clinic would lose. Both are treated alike: members are
combined, calibrated and flagged by what the other folds say.

Kapoor and Narayanan (2023) count such folds among the remedies for leakage,
https://doi.org/10.1016/j.patter.2023.100804; Debray et al. (2015) tell reproducibility from
transportability, https://doi.org/10.1016/j.jclinepi.2014.06.018
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from skinlesion.dataset.fold_names import FoldNames
from skinlesion.errors import InputError
from skinlesion.evaluation import (
    bootstrap,
    comparison,
    left_out,
    measurement,
    operating,
    ranking,
    reliability,
    runs,
    stacking,
    subgroups,
)
from skinlesion.evaluation.bootstrap import Both, Interval

__all__ = ["MEASURES", "Blocks", "measures", "other_run", "same_lesions"]

MEASURES = ("auc", "pauc", "sensitivity", "specificity", "intercept", "slope")
MEAN, POOLED = "Mean of the clinics", "All, pooled"
Values = dict[str, np.ndarray]  # by measure, shape (1 + n_resamples,)


@dataclass(frozen=True)
class Blocks:
    """The blocks of params.yaml that say how clinics are measured."""

    evaluate: measurement.Params
    measure: bootstrap.Params
    calibrate: stacking.Params


@dataclass(frozen=True)
class _Run:
    """Scored lesions of one way to divide, and what all of their clinics are measured with."""

    lesions: pd.DataFrame
    resamples: Both
    min_tpr: float

    def values(self, rows: np.ndarray) -> Values:
        """Measure some of the lesions in every resample."""
        members = self.lesions[rows]
        resamples = self.resamples.of(members)
        ranked = ranking.rank(members, members["score"], resamples.stratified)
        flagged = members.assign(score=members["flagged"].astype(float))
        line = reliability.slope_and_intercept(members, resamples.free)
        return {
            "auc": ranked.each(ranking.Roc.auc),
            "pauc": ranked.each(lambda roc: roc.partial_auc(self.min_tpr)),
            **operating.rates_in_resamples(flagged, resamples.stratified, threshold=0.5),
            "intercept": line["intercept"],
            "slope": line["slope"],
        }


def other_run(names: FoldNames, p: measurement.Params, path: Path) -> pd.DataFrame | None:
    """Read the run under patient folds that clinics are compared with.

    Args:
        names: What the folds stand for.
        p: The block `evaluate`, whose patient_folds names the run.
        path: Where a run keeps its out-of-fold scores.

    Returns:
        As from `runs.read`; None where folds are not of clinics, or no run is named.

    Raises:
        InputError: As for `runs.read`.
    """
    if not names.folds or p.patient_folds is None:
        return None
    return runs.read(p.patient_folds, path)


def same_lesions(oof: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Select the lesions of a run under patient folds that are to be compared.

    Args:
        oof: isic_id, patient_id, target and score of the run whose folds are of clinics.
        other: From `runs.read`, of the run under patient folds.

    Returns:
        The rows of `other` that are of the lesions of `oof`, in its order.

    Raises:
        InputError: It lacks some of them, or has out-of-fold scores of fewer than two folds.
    """
    if "fold" not in other or other["fold"].nunique() < 2:
        raise InputError(
            "evaluate.patient_folds must be a run of all its folds, such as "
            "`dvc exp run -S split.train_folds=[0,1,2,3,4]`. Got one without out-of-fold scores "
            "of two folds or more."
        )
    try:
        return comparison.aligned(oof, other[other["isic_id"].isin(oof["isic_id"])])
    except InputError as error:
        raise InputError(f"evaluate.patient_folds: {error}") from None


def measures(
    oof: pd.DataFrame, names: FoldNames, blocks: Blocks, patient_folds: pd.DataFrame | None
) -> dict[str, Any] | None:
    """Measure each clinic as a clinic that nothing was fitted to.

    Args:
        oof: As for `left_out.by_others`, the fold that of the clinic.
        names: What the folds stand for.
        blocks: How it is measured.
        patient_folds: The same for a run whose folds are of patients, which holds at least the
            same lesions; None without one.

    Returns:
        None where the folds are not of clinics. by (the column), specificity (of the threshold),
        learnt_from_only (folds that were never left out), n_to_leave_out, and rows: of each
        clinic that was left out, their mean and all of them pooled: name, clinics, n_lesions,
        n_patients, n_positives, too_few, and the intervals of MEASURES under "left_out", and
        under "patient_folds" and "difference" (left_out less patient_folds), which are None
        without such a run. No rows where fewer than two clinics were left out.

    Raises:
        InputError: The runs are not of the same lesions, or the other has fewer than two folds.
    """
    if not names.folds:
        return None
    head = {
        "by": names.by,
        "specificity": blocks.evaluate.specificities[0],
        "compared_with": blocks.evaluate.patient_folds,
        "n_to_leave_out": len(names.to_leave_out()),
        "learnt_from_only": [f.model_dump() for f in names.folds if not f.left_out],
    }
    if oof["fold"].nunique() < 2:
        return head | {"rows": []}
    tables = [oof] if patient_folds is None else [oof, same_lesions(oof, patient_folds)]
    return head | {"rows": list(_rows(list(_runs(tables, blocks)), names, blocks))}


def _runs(tables: list[pd.DataFrame], blocks: Blocks) -> Iterator[_Run]:
    """Score each run by what its other folds say; the resamples are of the same patients."""
    first, sampling = tables[0], blocks.measure
    patient = pd.factorize(first["patient_id"], sort=True)[0]  # numbers are found sooner
    lesions = first.assign(patient_id=patient)
    resamples = bootstrap.draw_both(lesions, sampling)
    level = blocks.evaluate.specificities[0]
    for table in tables:
        scored = left_out.by_others(table, blocks.calibrate, specificity=level)
        scored = scored.reset_index(drop=True).assign(patient_id=patient)
        yield _Run(scored, resamples, sampling.min_tpr)


def _rows(both: list[_Run], names: FoldNames, blocks: Blocks) -> Iterator[dict[str, Any]]:
    """Each clinic that was left out, the mean of those that can be measured, and all pooled."""
    lesions = both[0].lesions
    fold, measured = lesions["fold"].to_numpy(), []
    shown = [f for f in names.folds if f.fold in fold]
    for each in shown:
        rows = fold == each.fold
        counts = _counts(lesions[rows], blocks)
        found = [run.values(rows) for run in both]
        if counts["too_few"]:
            found = [{"specificity": v["specificity"]} for v in found]
        else:
            measured.append(found)
        compared = _compared(found, blocks, _n_patients(lesions[rows]))
        yield {"name": each.name, "clinics": each.clinics, **counts, **compared}
    head = {"clinics": [f.name for f in shown], **_counts(lesions, blocks)}
    if len(measured) > 1:
        mean = [_mean([found[i] for found in measured]) for i in range(len(both))]
        yield {"name": MEAN, **head, **_compared(mean, blocks, {})}
    pooled = [run.values(np.ones(len(fold), bool)) for run in both]
    yield {"name": POOLED, **head, **_compared(pooled, blocks, _n_patients(lesions))}


def _counts(members: pd.DataFrame, blocks: Blocks) -> dict[str, Any]:
    positives = members[members["target"] == 1]
    n_malignant = positives["patient_id"].nunique()
    few = len(positives) < blocks.evaluate.min_positives or n_malignant < subgroups.MIN_PATIENTS
    return {
        "n_lesions": len(members),
        "n_patients": members["patient_id"].nunique(),
        "n_positives": len(positives),
        "too_few": few,
    }


def _mean(clinics: list[Values]) -> Values:
    return {name: np.mean([values[name] for values in clinics], axis=0) for name in MEASURES}


def _compared(
    found: list[Values], blocks: Blocks, n_patients: Mapping[str, int]
) -> dict[str, dict[str, Interval] | None]:
    """Intervals of each run, and of their difference."""
    confidence = blocks.measure.confidence
    own, *other = [_intervals(values, confidence, n_patients) for values in found]
    if not other:
        return {"left_out": own, "patient_folds": None, "difference": None}
    apart = {name: found[0][name] - found[1][name] for name in found[0]}
    difference = _intervals(apart, confidence, {})
    return {"left_out": own, "patient_folds": other[0], "difference": difference}


def _intervals(
    values: Values, confidence: float, n_patients: Mapping[str, int]
) -> dict[str, Interval]:
    """Intervals of MEASURES; of a rate, by how many patients it is of, where that is known."""
    found = {name: dict(bootstrap.UNDEFINED) for name in MEASURES}
    for name, of_resamples in values.items():
        if name in n_patients:
            n = n_patients[name]
            found[name] = bootstrap.share(of_resamples, confidence, n_patients=n)
        else:
            found[name] = bootstrap.area(of_resamples, confidence)
    return found


def _n_patients(members: pd.DataFrame) -> dict[str, int]:
    """Patients that each rate is of: those with positives, those with negatives."""
    n = members.groupby("target")["patient_id"].nunique()
    return {"sensitivity": int(n.get(1, 0)), "specificity": int(n.get(0, 0))}
