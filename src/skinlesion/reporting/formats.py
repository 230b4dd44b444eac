"""What the files that the report shows have in common: how they are read, and refused by name.

Keys that a format does not name are ignored.
"""

from pathlib import Path
from typing import Annotated, Any, TypeVar

import pandas as pd
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from skinlesion.dataset import metadata
from skinlesion.errors import InputError
from skinlesion.evaluation import bootstrap

__all__ = ["Format", "Interval", "Intervals", "having", "load", "table"]


class Format(BaseModel):
    """Base of every format: immutable, no conversion of types, no infinity."""

    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False)


F = TypeVar("F", bound=BaseModel)


def having(*keys: str) -> AfterValidator:
    """Require keys of a dict that is checked.

    Args:
        keys: Which must be there; others may be.

    Returns:
        A validator, to annotate the type of the dict with.

    Raises:
        ValueError: From the validator: a key is absent.
    """

    def check(found: dict[str, Any]) -> dict[str, Any]:
        absent = [key for key in keys if key not in found]
        if absent:
            raise ValueError(f"the keys {absent} are missing")
        return found

    return AfterValidator(check)


Interval = Annotated[bootstrap.Interval, having("value", "low", "high")]
Intervals = dict[str, Interval]


def load(path: Path, form: type[F]) -> F:
    """Read a JSON file.

    Args:
        path: The file.
        form: What it must hold, such as `details.Details`.

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


def table(path: Path, columns: list[str]) -> pd.DataFrame:
    """Read a table that must have rows.

    Args:
        path: A CSV file.
        columns: That are read.

    Raises:
        InputError: The file is absent or has no rows, or lacks a column.
    """
    found = metadata.read(path, columns=columns)
    if found.empty:
        raise InputError(f"{path} must have rows. It has none.")
    return found
