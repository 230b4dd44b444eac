"""The encoder of tabular features: fitted statistics, readable as JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from skinlesion.dataset.shares import Shares
from skinlesion.errors import InputError

__all__ = ["MISSING", "UNSEEN", "Category", "Encoder", "Number", "load", "save"]

MISSING, UNSEEN = "missing", "unseen"


@dataclass(frozen=True, kw_only=True)
class Number:
    """A numeric feature: (value or median - center) / scale, then maybe a missing indicator."""

    center: float
    scale: float
    median: float
    indicator: bool
    lacking: Shares


@dataclass(frozen=True, kw_only=True)
class Category:
    """A categorical feature: one column per known value, then `missing` and `unseen`."""

    values: tuple[str, ...]  # as most training lesions spell them
    lacking: Shares


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """Fitted statistics by feature, and which encoded columns never varied in training."""

    numeric: Mapping[str, Number]
    categorical: Mapping[str, Category]
    constant: tuple[str, ...]

    @property
    def columns(self) -> list[str]:
        """The columns of the metadata that the encoder reads."""
        return [*self.numeric, *self.categorical]

    @property
    def lacking(self) -> dict[str, Shares]:
        """What the training lesions lacked, by feature."""
        numbers = {name: number.lacking for name, number in self.numeric.items()}
        return numbers | {name: category.lacking for name, category in self.categorical.items()}

    @property
    def names(self) -> list[str]:
        """The names of the encoded columns, in their order."""
        names: list[str] = []
        for feature, number in self.numeric.items():
            names += [feature, f"{feature}={MISSING}"][: 1 + number.indicator]
        for feature, category in self.categorical.items():
            names += [f"{feature}={value}" for value in (*category.values, MISSING, UNSEEN)]
        return names

    @property
    def constant_indices(self) -> tuple[int, ...]:
        """The places of the columns that never varied in training."""
        return tuple(self.names.index(name) for name in self.constant)


def save(encoder: Encoder, path: Path) -> None:
    """Write an encoder as JSON that a person can read.

    Args:
        encoder: From `fit`.
        path: The file to write.
    """
    path.write_text(json.dumps(asdict(encoder), indent=1) + "\n")


def load(path: Path) -> Encoder:
    """Read an encoder that `save` wrote.

    Args:
        path: encoder.json.

    Raises:
        InputError: The file is absent or is no encoder.
    """
    try:
        given = json.loads(path.read_text())
        return Encoder(
            numeric={
                name: Number(**n | {"lacking": Shares(**n["lacking"])})
                for name, n in given["numeric"].items()
            },
            categorical={
                name: Category(values=tuple(c["values"]), lacking=Shares(**c["lacking"]))
                for name, c in given["categorical"].items()
            },
            constant=tuple(given["constant"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} must be an encoder. {error!r}") from None
