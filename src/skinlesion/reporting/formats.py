"""The formats of the JSON files that the report shows. Further keys are ignored."""

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, model_validator

from skinlesion.dataset import fold_names
from skinlesion.errors import InputError
from skinlesion.evaluation import bootstrap, calibration
from skinlesion.params import Block

__all__ = ["Data", "Details", "Facts", "Interval", "Shift", "Train", "Uncertainty", "load"]


class Format(BaseModel):
    """Base of every format: immutable, no conversion of types, no infinity."""

    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False)


F = TypeVar("F", bound=Format)


def _having(*keys: str) -> AfterValidator:
    def check(found: dict[str, Any]) -> dict[str, Any]:
        absent = [key for key in keys if key not in found]
        if absent:
            raise ValueError(f"the keys {absent} are missing")
        return found

    return AfterValidator(check)


Interval = Annotated[bootstrap.Interval, _having("value", "low", "high")]
Intervals = dict[str, Interval]
LOSSES = [f"{loss}{of}" for loss in ("log_loss", "brier") for of in ("", "_of_base_rate", "_skill")]
ERRORS = ["expected_calibration_error", "expected_calibration_error_of_true_risks"]
Risks = Annotated[Intervals, _having(*LOSSES, "slope", "intercept", *ERRORS)]


# === metrics/details.json ===


class Baseline(Format):
    """How well one column alone ranks the lesions, and how far ahead of it the model is."""

    column: str
    pauc: Interval
    auc: Interval
    pauc_difference: Interval
    auc_difference: Interval


Measures = Annotated[Intervals, _having("pauc", "auc", "top_k_sensitivity")]


class Member(Format):
    """How well one member's score ranks, and how far ahead of it the score in use is."""

    label: str
    pauc: Interval
    auc: Interval
    top_k_sensitivity: Interval
    difference: Measures


class Members(Format):
    """Each member's score; and what the patient's other lesions give to the table expert."""

    rows: list[Member] = []
    context: Measures | None = None


class Point(Format):
    """A threshold, its rates, and its counts per 1,000 lesions."""

    threshold: float
    sensitivity: Interval
    specificity: Interval
    number_needed_to_examine: Interval
    per_1000: Annotated[Intervals, _having("flagged", "found", "missed", "false_alarms")]


class OperatingPoint(Point):
    """A threshold that was chosen for a rate."""

    criterion: Literal["specificity", "sensitivity"]
    level: float


class Budget(Format):
    """What is found when so many lesions of each patient are looked at."""

    n: int
    n_crowded: int
    random: float
    sensitivity: Annotated[Intervals, _having("model")]


class Needed(Format):
    """How many lesions per patient one looks at, to find a share of the cancers."""

    level: float
    lesions: Annotated[Intervals, _having("model")]


class LookBudget(Format):
    """Sensitivity against lesions looked at per patient, by order."""

    n_max: int
    rows: list[Budget]
    needed: list[Needed]


class NetBenefit(Format):
    """Thresholds between which acting on the probabilities does more good than not."""

    lowest: float
    highest: float
    better: list[float] | None


class Cost(Point):
    """The threshold of a cost ratio; what it finds, spares and costs."""

    ratio: float
    spared: Interval
    costs: Annotated[Intervals, _having("model", "all", "none")]
    better: Literal["all", "none"]
    saving: Interval


class Group(Format):
    """Measures of the lesions of one group."""

    attribute: str
    group: str
    n_lesions: int
    n_patients: int
    n_positives: int
    too_few: bool
    auc: Interval
    sensitivity: Interval


class Subgroups(Format):
    """Measures group by group, with the sensitivity at one operating point."""

    specificity: float
    absent: list[str]
    groups: list[Group]


Measured = Annotated[
    Intervals, _having("auc", "pauc", "sensitivity", "specificity", "intercept", "slope")
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


class UncertaintyBin(Format):
    """Errors of lesions of about the same uncertainty."""

    low: float
    high: float
    n_lesions: int
    n_positives: int
    loss: Interval
    excess: Interval


class Errors(Format):
    """Errors against the uncertainty."""

    bins: list[UncertaintyBin]
    loss: Interval
    by_probability: Interval


Rest = Annotated[Intervals, _having("auc", "pauc", "sensitivity")]


class Abstaining(Format):
    """What is gained where the most uncertain lesions go to a person."""

    n_lesions: int
    n_positives: int
    n_more: int
    rest: Rest
    difference: Rest
    found: Annotated[Intervals, _having("uncertain", "by_score", "random")]
    gain: Interval


class Uncertainty(Format):
    """How much the spread of a lesion's logits is worth."""

    sources: list[str]
    errors: Errors
    abstaining: Abstaining


class Scored(Format):
    """What was measured on one set of scored lesions."""

    n_lesions: int
    n_positives: int
    n_patients: int
    n_patients_with_malignancy: int
    n_crowded_patients: int
    prevalence: float
    ranking: Annotated[Intervals, _having("pauc", "auc", "average_precision", "top_k_sensitivity")]
    baseline: Baseline | None
    members: Members = Members()
    calibration: Annotated[dict[str, Risks], _having("before", "after")]
    operating_points: list[OperatingPoint]
    look_budget: LookBudget
    net_benefit: NetBenefit
    cost: Cost | None
    uncertainty: Uncertainty | None = None
    subgroups: Subgroups


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
    test: Annotated[dict[str, int], _having("n_unreadable")]
    sets: dict[Literal["holdout", "oof"], Scored]
    clinics: Clinics | None = None

    @model_validator(mode="after")
    def _primary_is_there(self) -> "Details":
        if self.primary not in self.sets:
            raise ValueError(f"sets must hold the primary one, {self.primary!r}")
        return self


# === metrics/data.json ===


class Part(Format):
    """Counts of the training or the test half of a challenge folder."""

    n_lesions: int
    n_patients: int | None = None
    n_positives: int | None = None
    prevalence: float | None = None
    lesions_per_patient: dict[str, float] = {}
    tile_px: dict[str, float]
    missing: dict[str, int]
    licences: dict[str, int] = {}
    attributions: dict[str, int] = {}


class Data(Format):
    """The file metrics/data.json."""

    train: Part
    test: Part
    n_excluded: int
    warnings: list[str]


# === metrics/shift.json ===


class Difference(Format):
    """How far one column of a set is from that of the training lesions."""

    name: str
    psi: float
    by_chance: float
    reading: Literal["alike", "some", "much"]
    missing: float | None = None
    missing_in_training: float | None = None
    new: dict[str, int] = {}
    vanished: list[str] = []


class Compared(Format):
    """How far a set is from the training lesions, the largest difference first."""

    n_lesions: int
    n_patients: int | None
    n_marked: int
    columns: list[Difference]


class Shift(Format):
    """The file metrics/shift.json."""

    training: Annotated[dict[str, int], _having("n_lesions", "n_patients")]
    readings: Annotated[dict[str, float], _having("some", "much", "level")]
    sets: dict[Literal["test", "holdout"], Compared]


# === models/fold-K/facts.json ===


class Facts(Format):
    """The file facts.json of a model."""

    prior_shift: float
    best_epoch: int
    validation: Annotated[dict[str, float], _having("validation/auc", "validation/pauc")]
    backend: str
    precision: str
    versions: dict[str, str]
    inputs_md5: dict[str, str]


# === params.yaml ===


class Train(Block, extra="ignore"):
    """What the block `train` says of what a fold chose."""

    fitted: Literal["network", "head"]
    select: Literal["best", "last"]

    @property
    def chose_epoch(self) -> bool:
        """Whether the fold left out chose the epoch that is kept."""
        return self.fitted == "network" and self.select == "best"


def load(path: Path, form: type[F]) -> F:
    """Read a JSON file.

    Args:
        path: The file.
        form: What it must hold: `Details`, `Data` or `Facts`.

    Raises:
        InputError: The file is absent or malformed, or lacks a key. All findings are in the one
            message.
    """
    try:
        return form.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path} must be a JSON file. {error}") from None
    except ValidationError as error:
        # A file that is no JSON at all is wrong at no key in particular.
        found = [(".".join(map(str, e["loc"])), e["msg"]) for e in error.errors()]
        findings = [": ".join(filter(None, [str(path), key, what])) for key, what in found]
        raise InputError("\n".join(findings)) from None
