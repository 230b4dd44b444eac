"""The format of what stage `evaluate` measured on one set of scored lesions."""

from typing import Annotated, Literal

from pydantic import Field

from skinlesion.reporting.formats import Format, Interval, Intervals, having

__all__ = ["Scored", "Uncertainty"]

LOSSES = [f"{loss}{of}" for loss in ("log_loss", "brier") for of in ("", "_of_base_rate", "_skill")]
ERRORS = ["expected_calibration_error", "expected_calibration_error_of_true_risks"]
Risks = Annotated[Intervals, having(*LOSSES, "slope", "intercept", *ERRORS)]


class Baseline(Format):
    """How well one column alone ranks the lesions, and how far ahead of it the model is."""

    column: str
    pauc: Interval
    auc: Interval
    pauc_difference: Interval
    auc_difference: Interval


Measures = Annotated[Intervals, having("pauc", "auc", "top_k_sensitivity")]


class Member(Format):
    """How well one member's score ranks, and how far ahead of it the score in use is."""

    label: str
    pauc: Interval
    auc: Interval
    top_k_sensitivity: Interval
    difference: Measures


class Members(Format):
    """Each member's score; and what the patient's other lesions give to the table expert."""

    rows: list[Member] = Field(default_factory=list)
    context: Measures | None = None


class Point(Format):
    """A threshold, its rates, and its counts per 1,000 lesions."""

    threshold: float
    sensitivity: Interval
    specificity: Interval
    number_needed_to_examine: Interval
    per_1000: Annotated[Intervals, having("flagged", "found", "missed", "false_alarms")]


class OperatingPoint(Point):
    """A threshold that was chosen for a rate."""

    criterion: Literal["specificity", "sensitivity"]
    level: float


class Budget(Format):
    """What is found when so many lesions of each patient are looked at."""

    n: int
    n_crowded: int
    random: float
    sensitivity: Annotated[Intervals, having("model")]


class Needed(Format):
    """How many lesions per patient one looks at, to find a share of the cancers."""

    level: float
    lesions: Annotated[Intervals, having("model")]


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
    costs: Annotated[Intervals, having("model", "all", "none")]
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


Rest = Annotated[Intervals, having("auc", "pauc", "sensitivity")]


class Abstaining(Format):
    """What is gained where the most uncertain lesions go to a person."""

    n_lesions: int
    n_positives: int
    n_more: int
    rest: Rest
    difference: Rest
    found: Annotated[Intervals, having("uncertain", "by_score", "random")]
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
    ranking: Annotated[Intervals, having("pauc", "auc", "average_precision", "top_k_sensitivity")]
    baseline: Baseline | None
    members: Members = Members()
    calibration: Annotated[dict[str, Risks], having("before", "after")]
    operating_points: list[OperatingPoint]
    look_budget: LookBudget
    net_benefit: NetBenefit
    cost: Cost | None
    uncertainty: Uncertainty | None = None
    subgroups: Subgroups
