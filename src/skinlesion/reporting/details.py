"""The format of metrics/details.json, every number that stage `evaluate` found."""

from typing import Annotated, Literal

from pydantic import model_validator

from skinlesion.dataset import fold_names
from skinlesion.evaluation import calibration
from skinlesion.reporting.formats import Format, Intervals, having
from skinlesion.reporting.measures import Scored

__all__ = ["Clinics", "Details"]

Measured = Annotated[
    Intervals, having("auc", "pauc", "sensitivity", "specificity", "intercept", "slope")
]


class Clinic(Format):
    """Measures of a clinic that was left out, and of the same lesions under patient folds."""

    name: str
    clinics: list[str]
    n_lesions: int
    n_patients: int
    n_positives: int
    too_few: bool
    left_out: Measured
    patient_folds: Measured | None
    difference: Measured | None


class Clinics(Format):
    """How well the model does in clinics that it never saw."""

    by: str
    specificity: float
    compared_with: str | None
    n_to_leave_out: int
    learnt_from_only: list[fold_names.Fold]
    rows: list[Clinic]


class Sampling(Format):
    """The block `measure`."""

    n_resamples: int
    confidence: float


class Details(Format):
    """Every number that stage `evaluate` found."""

    primary: Literal["holdout", "oof"]
    bootstrap: Sampling
    min_tpr: float
    top_k: int
    min_positives: int
    min_patients: int
    calibrator: calibration.Calibrator
    test: Annotated[dict[str, int], having("n_unreadable")]
    sets: dict[Literal["holdout", "oof"], Scored]
    clinics: Clinics | None = None

    @model_validator(mode="after")
    def _primary_is_there(self) -> "Details":
        if self.primary not in self.sets:
            raise ValueError(f"sets must hold the primary one, {self.primary!r}")
        return self
