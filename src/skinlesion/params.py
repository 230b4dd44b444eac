"""Load one block of params.yaml, or of a JSON file. Blocks live with the module that uses them."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from skinlesion.errors import InputError

__all__ = ["Block", "ParamsError", "load", "load_json", "load_whole", "nearest"]


class ParamsError(InputError):
    """params.yaml and the code that reads it disagree."""


class Block(BaseModel):
    """Base of every block: immutable, no unknown key, no conversion of types, no infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


B = TypeVar("B", bound="Block")


def load(name: str, block: type[B], path: Path = Path("params.yaml")) -> B:
    """Read the block `name` of `path`.

    Args:
        name: Top-level key of the file, such as "split".
        block: The class that says which keys the block has, and their ranges.
        path: The params file.

    Returns:
        The block, validated.

    Raises:
        ParamsError: The file or the block is absent, or a key is missing, unknown, of the
            wrong type or out of range. All such findings are in the one message.
    """
    given = _read(path).get(name)
    if not isinstance(given, Mapping):
        raise ParamsError(f"{path}: {name} must be a block of keys. Got {given!r} instead.")
    return _validated(given, block, path, [name])


def load_whole(block: type[B], path: Path = Path("params.yaml")) -> B:
    """Read all of `path`.

    Args:
        block: The class whose keys are the blocks of the file; it may have no other.
        path: The params file.

    Returns:
        The blocks, validated.

    Raises:
        ParamsError: As for `load`, of any block; or one is unknown. All such findings are in the
            one message.
    """
    return _validated(_read(path), block, path, [])


def load_json(path: Path, block: type[B], what: str) -> B:
    """Read a block that a stage wrote as a JSON file.

    Args:
        path: The file.
        block: The class that says which keys it has, and their ranges.
        what: What it must be, such as "a calibrator", for the message.

    Returns:
        The block, validated.

    Raises:
        InputError: The file is absent, is no JSON in UTF-8, or is no such block.
    """
    try:
        return block.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise InputError(f"{path} must be {what}. {error}") from None


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which of `known` may be meant by `name`: " Did you mean 'x'?", or "" if none is near.

    Args:
        name: What was written.
        known: What could have been written.
    """
    close = get_close_matches(name, sorted(known), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


def _validated(given: Mapping[str, Any], block: type[B], path: Path, at: list[str]) -> B:
    try:
        return block.model_validate(given)
    except ValidationError as error:
        findings = [_sentence(at, block, e) for e in error.errors()]
        raise ParamsError("\n".join(f"{path}: {finding}" for finding in findings)) from None


def _read(path: Path) -> Mapping[str, Any]:
    # ruamel.yaml is the parser DVC uses; PyYAML would read `1e-3` as a string.
    try:
        given = YAML(typ="safe").load(path) or {}
    except FileNotFoundError:
        raise ParamsError(f"{path} must be a params file. There is none in this folder.") from None
    except OSError as error:
        raise ParamsError(f"{path} must be a params file. {error}") from None
    except (YAMLError, ValueError) as error:  # ValueError: a date that does not exist
        raise ParamsError(f"{path} must be YAML. {error}") from None
    if not isinstance(given, Mapping):
        raise ParamsError(f"{path} must hold blocks of keys. Got {given!r} instead.")
    return given


def _sentence(at: list[str], block: type[Block], error: Mapping[str, Any]) -> str:
    # A union's branches appear in loc as names of types; a user knows only the keys. An
    # unknown key may look like one of those, "Seed" or "n-folds", and is in no union.
    unknown = error["type"] == "extra_forbidden"
    where = [str(part) for part in error["loc"] if unknown or _is_key(part)]
    key = ".".join([*at, *where])
    if unknown:
        return f"{key} is not a known key.{nearest(where[-1], _keys(block, where[:-1]))}"
    if error["type"] == "missing":
        return f"{key} is missing."
    must = error["msg"].replace("Input should be", "must be").replace("Value error, ", "must be ")
    return f"{key} {must}. Got {error['input']!r} instead."


def _is_key(part: object) -> bool:
    return isinstance(part, int) or (str(part).replace("_", "").isalnum() and str(part).islower())


def _keys(block: type[Block], where: list[str]) -> Iterable[str]:
    for part in where:
        block = block.model_fields[part].annotation  # type: ignore[assignment]
    return block.model_fields
