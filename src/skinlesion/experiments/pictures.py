"""The curves of dvc.yaml as pictures, those of two commits in one."""

import json
import re
from pathlib import Path

import vl_convert
from dvc.exceptions import DvcException
from dvc.repo import Repo

from skinlesion.errors import InputError
from skinlesion.experiments import checkout

__all__ = ["draw", "fetch"]

COLOURS = {"before": "#945dd6", "after": "#13adc7"}  # as DVC has them
LOOK = {
    "line": {"opacity": 0.75},  # a curve that did not move shows through the other
    "legend": {"title": None, "symbolSize": 800},  # long enough for its dashes
}


def fetch(before: str, after: str, clone: Path) -> None:
    """Fetch what the curves of two commits are drawn from, as far as the remote has it.

    Args:
        before: A commit.
        after: Another one.
        clone: A clone that holds both.

    Raises:
        InputError: The remote cannot be used, perhaps for lack of DVC's package for its kind.
    """
    try:
        with Repo(str(clone)) as repo:
            repo.fetch(revs=[before, after], workspace=False, types=["plots"])
    except (DvcException, ImportError, OSError) as error:
        raise InputError(f"the remote must be one that can be read. {error}") from None


def draw(before: str, after: str, folder: Path, clone: Path) -> tuple[list[str], list[str]]:
    """Draw the curves of dvc.yaml, those of two commits in one picture each.

    Only curves are drawn. A plot that is a picture by itself may show a tile, and is left out.

    Args:
        before: A commit.
        after: Another one.
        folder: PNG files are written here.
        clone: A clone that holds both, and in its cache what they are drawn from.

    Returns:
        The names of the files; and a line for each curve that could not be drawn in full.
    """
    found = json.loads(checkout.ask(clone, "plots", "diff", "--json", before, after))
    words = dict(zip((before, after), COLOURS, strict=True))
    charts = {
        f"{_slug(name)}.png": chart["content"]
        for name, of_name in found["data"].items()
        for chart in of_name
        if chart["type"] == "vega"
    }
    for name, chart in charts.items():
        (folder / name).write_bytes(_png(chart, words))
    return list(charts), _absent(found.get("errors", []), words)


def _absent(errors: list[dict[str, str]], words: dict[str, str]) -> list[str]:
    sides: dict[str, set[str]] = {}
    for error in errors:
        sides.setdefault(error["name"], set()).add(words[error["rev"]])
    return [f"{n}: its data ({' and '.join(sorted(sides[n]))}) is not here" for n in sorted(sides)]


def _png(chart: dict[str, object], words: dict[str, str]) -> bytes:
    text = json.dumps(chart)
    for commit, word in words.items():
        text = text.replace(json.dumps(commit), json.dumps(word))
    spec = json.loads(text, object_hook=_coloured)
    nowhere: list[str] = []  # no address may be read from: what a chart shows is in it
    return bytes(vl_convert.vegalite_to_png(spec, scale=2, config=LOOK, allowed_base_urls=nowhere))


def _coloured(part: dict[str, object]) -> dict[str, object]:
    """DVC gives the first colour to a lone commit, whichever of the two it is."""
    lone = part.get("domain") in (["before"], ["after"])
    return part | {"domain": [*COLOURS], "range": [*COLOURS.values()]} if lone else part


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60]
