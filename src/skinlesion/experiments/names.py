"""Name each combination of a grid by its settings.

DVC expands the grid, queues, runs and stores, but calls queued experiments "eager-wage" or
"name-1". A name made of the settings can be read, and tells whether a combination exists.
"""

import json
import re
from collections.abc import Sequence
from hashlib import sha256

from dvc.exceptions import DvcException
from dvc.utils.hydra import get_hydra_sweeps, to_hydra_overrides
from hydra.errors import HydraException

from skinlesion.errors import InputError
from skinlesion.params import nearest

__all__ = ["named", "short", "shown"]

MAX_NAME = 150  # characters; a git ref is a file's name, 255 bytes at most


def short(key: str, known: Sequence[str]) -> str:
    """Shorten a dotted key to the fewest last parts that no other key ends with.

    Args:
        key: One of `known`, such as "augment.cutout.rate".
        known: The dotted keys of all params, so that a key is short alike in every sweep.
    """
    parts = key.split(".")
    for n in range(1, len(parts)):
        tail = ".".join(parts[-n:])
        if sum(f".{other}".endswith(f".{tail}") for other in known) == 1:
            return tail
    return key


def named(
    overrides: Sequence[str], known: Sequence[str], *, prefix: str = ""
) -> dict[str, list[str]]:
    """Expand a grid as `dvc exp run --queue -S` does, and name its combinations.

    Args:
        overrides: Each "key=value", "key=a,b", "key=range(3)" or "key=[0,1],[2]".
        known: The dotted keys of all params.
        prefix: What each name begins with, so that sweeps can be told apart.

    Returns:
        The overrides of each combination by its name, such as "cutout-rate-0.5_train-seed-1".
        A name is a valid git ref, and does not depend on the order of the overrides.

    Raises:
        InputError: An override cannot be expanded or does not set a known key, or two
            combinations have the same name.

    Source:
        https://hydra.cc/docs/advanced/override_grammar/extended/
    """
    try:
        grid = get_hydra_sweeps({"params.yaml": list(overrides)})
    except (HydraException, DvcException) as error:
        raise InputError(f"-S must be KEY=VALUES as for `dvc exp run`. {error}") from None
    found: dict[str, list[str]] = {}
    for settings in (combination["params.yaml"] for combination in grid):
        name = _name(settings, known, prefix)
        if name in found:
            raise InputError(f"each combination must have a name of its own. Got {name} twice.")
        found[name] = settings
    return found


def _name(settings: Sequence[str], known: Sequence[str], prefix: str) -> str:
    words = [prefix] if prefix else []
    for override in sorted(to_hydra_overrides(settings), key=lambda o: o.key_or_group):
        key = override.get_key_element()  # "+key" where the override adds one
        if key not in known:
            raise InputError(f"-S must set a param. There is no {key}.{nearest(key, known)}")
        words.append(f"{short(key, known)}-{_of_name(override.value())}")
    name = "_".join(map(_slug, words))
    if len(name) <= MAX_NAME:
        return name
    return f"{name[:MAX_NAME]}-{sha256(repr(words).encode()).hexdigest()[:8]}"


def _of_name(value: object) -> str:
    if isinstance(value, list):
        return "-".join(map(_of_name, value)) or "empty"
    if isinstance(value, float):
        return f"{value:.10g}"  # 0 and 0.0 are one setting
    return value if isinstance(value, str) else json.dumps(value)


def _slug(word: str) -> str:
    # git forbids ".." and a last ".lock", among others: full stops stay between digits only.
    return re.sub(r"(?<!\d)\.|\.(?!\d)|[^A-Za-z0-9.+-]+", "-", word).strip("-")


def shown(value: object) -> str:
    """Return a setting as one writes it with -S, such as "null" or "[0,1]".

    Args:
        value: Of a param, as DVC's API gives it.
    """
    if isinstance(value, float):
        return f"{value:.10g}"
    text = str(value).replace("'", "").replace(", ", ",")
    return {"None": "null", "True": "true", "False": "false"}.get(text, text)
