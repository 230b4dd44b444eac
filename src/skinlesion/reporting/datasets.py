"""The formats of metrics/data.json and metrics/shift.json: what the lesions are."""

from typing import Annotated, Literal

from pydantic import Field

from skinlesion.reporting.formats import Format, having

__all__ = ["Data", "Shift"]


class Part(Format):
    """Counts of the training or the test half of a challenge folder."""

    n_lesions: int
    n_patients: int | None = None
    n_positives: int | None = None
    prevalence: float | None = None
    lesions_per_patient: dict[str, float] = Field(default_factory=dict)
    tile_px: dict[str, float]
    missing: dict[str, int]
    licences: dict[str, int] = Field(default_factory=dict)
    attributions: dict[str, int] = Field(default_factory=dict)


class Data(Format):
    """The file metrics/data.json."""

    train: Part
    test: Part
    n_excluded: int
    warnings: list[str]


class Difference(Format):
    """How far one column of a set is from that of the training lesions."""

    name: str
    psi: float
    by_chance: float
    reading: Literal["alike", "some", "much"]
    missing: float | None = None
    missing_in_training: float | None = None
    new: dict[str, int] = Field(default_factory=dict)
    vanished: list[str] = Field(default_factory=list)


class Compared(Format):
    """How far a set is from the training lesions, the largest difference first."""

    n_lesions: int
    n_patients: int | None
    n_marked: int
    columns: list[Difference]


class Shift(Format):
    """The file metrics/shift.json."""

    training: Annotated[dict[str, int], having("n_lesions", "n_patients")]
    readings: Annotated[dict[str, float], having("some", "much", "level")]
    sets: dict[Literal["test", "holdout"], Compared]
