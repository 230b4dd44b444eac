"""Where a run answers what CLAIM 2024 and TRIPOD+AI ask of a study, and what its author must say.

Tejani et al. (2024), https://doi.org/10.1148/ryai.240300; Collins et al. (2024),
https://doi.org/10.1136/bmj-2023-078378. The items are in our own words, under their numbers.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict
from ruamel.yaml import YAML

from skinlesion.errors import InputError

__all__ = ["Guideline", "Item", "anchor", "guidelines", "text"]

PARAMS, DATA, DETAILS = "params.yaml", "metrics/data.json", "metrics/details.json"
MAX_SHOWN = 60  # characters of a value
HEAD = """\
# Checklists

What two guidelines ask of a study that uses the model, and where this run answers: in
`metrics/report.html` (by part), `params.yaml`, `metrics/` or the docs. `make checklists` writes the
page, so its values are of the run at hand. The items are in our own words; the guidelines count.
**Author**: what no program can know, and a paper must say.
"""


class Format(BaseModel):
    """Base of both: immutable, no unknown key."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Item(Format):
    """What a guideline asks for, and where it is answered."""

    n: str
    asks: str
    where: tuple[str, ...] = ()
    author: str = ""


class Guideline(Format):
    """One guideline."""

    name: str
    title: str
    source: str
    item: list[Item]


def guidelines() -> list[Guideline]:
    """Read the guidelines that lie beside this module."""
    given = resources.files(__package__).joinpath("checklists.toml").read_text(encoding="utf-8")
    return [Guideline(**each) for each in tomllib.loads(given)["guideline"]]


def text(root: Path) -> str:
    """Write the checklists of a run.

    Args:
        root: The root of the repository, with params.yaml, metrics/data.json and
            metrics/details.json.

    Returns:
        Markdown, to be put into the folder docs. The same run gives the same text.

    Raises:
        InputError: One of the files is absent or malformed, or lacks a value that an item names.
    """
    details = _read(root / DETAILS)
    sources: dict[str, Any] = {
        "params": _read(root / PARAMS),
        "data": _read(root / DATA),
        "details": details,
        "set": details.get("sets", {}).get(details.get("primary"), {}),
    }
    return "\n".join([HEAD, *(_guideline(each, sources) for each in guidelines())])


def anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading.

    Args:
        heading: Its text, in Markdown.
    """
    kept = re.sub(r"[^\w\- ]", "", heading.lower())
    return kept.replace(" ", "-")


def _guideline(guideline: Guideline, sources: Mapping[str, Any]) -> str:
    rows = [
        f"| {i.n} | {i.asks} | {'; '.join(_place(w, sources) for w in i.where)} | {i.author} |"
        for i in guideline.item
    ]
    n_author = sum(not item.where for item in guideline.item)
    return "\n".join(
        [
            f"## {guideline.name}",
            "",
            f"{guideline.title}, <{guideline.source}>. Of {len(rows)} items, {n_author} are the "
            f"author's alone.",
            "",
            "| | asks for | here | author |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _place(where: str, sources: Mapping[str, Any]) -> str:
    kind, _, key = where.partition(":")
    if kind == "report":
        return f"report, *{key}*"
    if kind == "docs":
        file, _, heading = key.partition("#")
        return f"[{heading}]({file}#{anchor(heading)})"
    if where == "details:clinics":
        clinics = sources["details"].get("clinics")
        return f"clinics left out by `{clinics['by']}`" if clinics else "no clinic was left out"
    return f"`{key}`{_shown(_value(key, kind, sources[kind]))}"


def _value(key: str, kind: str, source: Any) -> Any:
    for part in key.split("."):
        if not isinstance(source, Mapping) or part not in source:
            name = {"params": PARAMS, "data": DATA}.get(kind, DETAILS)
            raise InputError(f"{name} must hold {key}, which the checklists name.")
        source = source[part]
    return source


def _shown(value: Any) -> str:
    """A value in a cell; of a block or a long list, its name is enough."""
    if isinstance(value, Mapping):
        return ""
    said = json.dumps(value, ensure_ascii=False)
    return f" = {said}" if len(said) <= MAX_SHOWN and "|" not in said else ""


def _read(path: Path) -> Mapping[str, Any]:
    try:
        given = (
            YAML(typ="safe").load(path) if path.suffix == ".yaml" else json.loads(path.read_text())
        )
    except (OSError, ValueError) as error:
        raise InputError(f"{path} must be a file of a run. {error}") from None
    if not isinstance(given, Mapping):
        raise InputError(f"{path} must hold keys and values.")
    return given
