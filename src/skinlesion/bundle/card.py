"""The model card of a bundle, as JSON for programs and as Markdown for people."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from skinlesion.bundle import agreement
from skinlesion.dataset import metadata
from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.reporting import statements
from skinlesion.reporting.datasets import Data
from skinlesion.reporting.details import Details
from skinlesion.reporting.formats import Interval, load
from skinlesion.reporting.measures import Scored
from skinlesion.reporting.models import Facts

__all__ = ["MARKDOWN", "NAME", "Files", "make", "markdown", "write"]

NAME, MARKDOWN = "card.json", "card.md"
DRAWN = "synthetic"  # the folder that stage `synthesize` draws
RUNTIME = ("ai-edge-litert", "lightgbm", "numpy")


@dataclass(frozen=True)
class Files:
    """What earlier stages found."""

    data: Path  # metrics/data.json
    details: Path  # metrics/details.json
    plots: Path  # metrics/plots, for the look budget


def make(files: Files, models: Path, *, raw: str, networks: Sequence[FoldSeed]) -> dict[str, Any]:
    """Gather what a model card says.

    Args:
        files: What was found.
        models: Holds the networks, as `FoldSeed.path` says, with facts.json.
        raw: The challenge folder, `data.raw`.
        networks: Those that there are.

    Returns:
        What JSON can hold; `markdown` and the service show it.

    Raises:
        InputError: A file is absent or malformed.
    """
    details, data = load(files.details, Details), load(files.data, Data)
    facts = {one.path: load(models / one.path / "facts.json", Facts) for one in networks}
    n_folds = len({one.fold for one in networks})
    return {
        "name": "lesion-risk",
        "notice": statements.NOTICE,
        "intended_use": statements.INTENDED_USE,
        "out_of_scope": statements.OUT_OF_SCOPE,
        "limits": statements.limits(details, n_folds=n_folds),
        "data": _data(data, raw),
        "licence": f"{statements.SLICE_3D}, doi {statements.SLICE_3D_DOI}.",
        "measured_on": _measured(details),
        "operating_points": _points(details.sets[details.primary]),
        "look_budget": _look_budget(files.plots / f"{details.primary}_look_budget.csv"),
        "trained": {path.as_posix(): f.model_dump() for path, f in facts.items()},
        "versions": {name: version(name) for name in ("skinlesion", *RUNTIME)},
    }


def write(folder: Path, card: Mapping[str, Any]) -> None:
    """Write card.json and card.md.

    Args:
        folder: Of the bundle.
        card: From `make`.
    """
    (folder / NAME).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    (folder / MARKDOWN).write_text(markdown(card), encoding="utf-8")


def markdown(card: Mapping[str, Any]) -> str:
    """Write a card for people.

    Args:
        card: From `make`.
    """
    measured, data = card["measured_on"], card["data"]
    lines = [
        f"# Model card: {card['name']}",
        *("", card["notice"]),
        *("", "## Intended use", "", card["intended_use"]),
        *("", "## Out of scope", "", card["out_of_scope"]),
        *("", "## Data and licences", "", data["what"], "", card["licence"]),
        *("", f"Training table: {data['n_lesions']:,} lesions, {data['n_positives']:,} cancers."),
        *("", "## Measures", ""),
        f"Of {measured['n_lesions']:,} lesions of {measured['n_patients']:,} patients "
        f"({measured['set']}), {measured['n_positives']:,} of them cancers; intervals at "
        f"{measured['confidence']:.0%}, over patients.",
        *("", "| measure | value |", "|---|---|"),
        *(f"| {name} | {_said(i)} |" for name, i in measured["ranking"].items()),
        *("", "## Operating points", ""),
        *("| flagged from a probability of | sensitivity | specificity |", "|---|---|---|"),
        *(_row(point) for point in card["operating_points"]),
        *_agreement(card),
        *_columns(card),
        *("", "## Limits", ""),
        *(f"- {limit}" for limit in card["limits"]),
        *("", "## Versions", ""),
        ", ".join(f"{name} {number}" for name, number in card["versions"].items()) + ".",
    ]
    return "\n".join(lines) + "\n"


def _columns(card: Mapping[str, Any]) -> list[str]:
    """List what a table must hold, where the members say so."""
    if not card.get("columns"):
        return []
    rows = [
        f"| `{c['name']}` | {c['kind']} | {c['unit']} | {', '.join(c['members'])} |"
        for c in card["columns"]
    ]
    head = ["| column | kind | unit | read by |", "|---|---|---|---|"]
    what = "isic_id, maybe patient_id, and these, any of which may be missing in a row:"
    return ["", "## Columns of the table", "", what, "", *head, *rows]


def _agreement(card: Mapping[str, Any]) -> list[str]:
    """Say how far the scores are from those that were evaluated, where that was measured."""
    if "agreement" not in card:
        return []
    lines = ["", "## Agreement", "", f"Scores {agreement.said(card['agreement'])}."]
    if card.get("onnx"):
        apart = max(card["onnx"].values())
        lines += ["", f"ONNX against LiteRT, first test lesions: logits at most {apart:.2g} apart."]
    return lines


def _data(data: Data, raw: str) -> dict[str, Any]:
    is_drawn = Path(raw).name == DRAWN
    return {
        "raw": raw,
        "is_drawn": is_drawn,
        "what": statements.DRAWN if is_drawn else f"{raw}: each lesion's licence is its row's.",
        **{k: getattr(data.train, k) for k in ("n_lesions", "n_patients", "n_positives")},
        "prevalence": data.train.prevalence,
        "licences": data.train.licences,
        "attributions": data.train.attributions,
    }


def _measured(details: Details) -> dict[str, Any]:
    shown = details.sets[details.primary]
    sizes = ("n_lesions", "n_patients", "n_positives", "prevalence")
    return {
        "set": "holdout" if details.primary == "holdout" else "out of fold",
        **{name: getattr(shown, name) for name in sizes},
        "confidence": details.bootstrap.confidence,
        "min_tpr": details.min_tpr,
        "ranking": shown.ranking,
        "subgroups": [
            {"attribute": g.attribute, "group": g.group, "n_lesions": g.n_lesions, "auc": g.auc}
            for g in shown.subgroups.groups
            if not g.too_few
        ],
    }


def _look_budget(path: Path) -> list[dict[str, float | None]]:
    """Sensitivity where only so many lesions of each patient are looked at."""
    points = metadata.read(path, columns=["n", "sensitivity", "low", "high"])
    table = points[["n", "sensitivity", "low", "high"]].astype(object)
    rows = table.where(table.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def _points(shown: Scored) -> list[dict[str, Any]]:
    found = []
    for point in shown.operating_points:
        rates = {"sensitivity": point.sensitivity, "specificity": point.specificity}
        head = {
            "name": f"{point.criterion} {100 * point.level:g} %",
            "threshold": point.threshold,
        }
        limits = {
            f"{name}{end}": i[key]
            for name, i in rates.items()
            for end, key in (("", "value"), ("_low", "low"), ("_high", "high"))
        }
        found.append(head | limits)
    return found


def _row(point: Mapping[str, Any]) -> str:
    rates = [
        _said({k: point[f"{name}{end}"] for k, end in _ENDS.items()})
        for name in ("sensitivity", "specificity")
    ]
    return f"| {point['threshold']:.3g} ({point['name']}) | {' | '.join(rates)} |"


_ENDS = {"value": "", "low": "_low", "high": "_high"}


def _said(i: Mapping[str, Any] | Interval) -> str:
    if i["value"] is None:
        return "not defined"
    if i["low"] is None or i["high"] is None:
        return f"{i['value']:.3f}"
    return f"{i['value']:.3f} ({i['low']:.3f} to {i['high']:.3f})"
