"""Read what stage `explain` wrote: what each input gives, and the lesions ranked most wrongly."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from skinlesion.dataset import metadata
from skinlesion.errors import InputError
from skinlesion.reporting import formats

__all__ = ["gallery", "importance", "table_importance"]

AREAS, PERMUTED = ("pauc", "auc"), ("across", "within")
DROPS = [f"{area}_{what}" for area in AREAS for what in ("drop", "low", "high")]
SHOWN = ["kind", "isic_id", "rank", "n_lesions", "tile", "occlusion", "largest_drop"]


def importance(path: Path) -> list[dict[str, Any]]:
    """Read what each input gives to the ranking.

    Args:
        path: importance.csv or table-importance.csv, of stage `explain`.

    Returns:
        One record per feature, that of the largest drop of pAUC across lesions first: feature,
        and under "across" and "within" the intervals of the drops of "pauc" and "auc".

    Raises:
        InputError: The file is absent or empty, lacks a column, or has a feature that was
            not permuted in both ways.
    """
    table = formats.table(path, ["feature", "permuted", *DROPS])
    records: dict[str, dict[str, Any]] = {}
    for row in table.to_dict("records"):
        drops = {area: _interval(row, area) for area in AREAS}
        records.setdefault(row["feature"], {"feature": row["feature"]})[row["permuted"]] = drops
    for feature, record in records.items():
        if not record.keys() >= set(PERMUTED):
            raise InputError(f"{path} must have {feature!r} permuted {' and '.join(PERMUTED)}.")
    drop = {feature: r["across"]["pauc"]["value"] or 0.0 for feature, r in records.items()}
    return [records[feature] for feature in sorted(drop, key=lambda f: (-drop[f], f))]


def table_importance(explanations: Path) -> list[dict[str, Any]]:
    """Read what each number gives to the table expert; [] where there is none.

    Args:
        explanations: The folder that stage `explain` writes.

    Raises:
        InputError: As for `importance`, but table-importance.csv may have no rows.
    """
    path = explanations / "table-importance.csv"
    return importance(path) if len(metadata.read(path)) else []


def gallery(explanations: Path, probabilities_csv: Path) -> list[dict[str, Any]]:
    """Read the lesions that the ranking gets most wrong.

    Args:
        explanations: The folder that stage `explain` writes.
        probabilities_csv: isic_id and probability of the lesions that were ranked.

    Returns:
        One record per row of gallery.csv: kind, isic_id, rank, n_lesions, largest_drop,
        probability, and tile and occlusion as data URIs. Without an image branch occlusion is
        "" and largest_drop is None. Under "reasons", what speaks "for" and "against" a cancer
        by the table expert: numbers in words, with their contribution to the log odds.

    Raises:
        InputError: A table or a picture is absent, a table lacks a column, or a lesion has no
            probability.
    """
    shown = metadata.read(explanations / "gallery.csv", columns=SHOWN, text=["tile", "occlusion"])
    given = metadata.read(probabilities_csv, columns=["isic_id", "probability"])
    risk = dict(zip(given["isic_id"], given["probability"], strict=True))
    reasons = _reasons(explanations / "table-reasons.csv")
    records = []
    for row in shown.astype(object).where(shown.notna(), None).to_dict("records"):
        if row["isic_id"] not in risk:
            raise InputError(f"{probabilities_csv} must have {row['isic_id']}, of gallery.csv.")
        record = {str(key): value for key, value in row.items()}
        pictures = {k: _data_uri(explanations, record[k]) for k in ("tile", "occlusion")}
        records.append({**record, **pictures, "probability": risk[record["isic_id"]]})
        records[-1]["reasons"] = reasons.get(record["isic_id"], {})
    return records


def _interval(row: Mapping[Any, Any], area: str) -> dict[str, float | None]:
    values = [row[f"{area}_{what}"] for what in ("drop", "low", "high")]
    known = [None if pd.isna(value) else float(value) for value in values]
    return dict(zip(("value", "low", "high"), known, strict=True))


def _reasons(path: Path) -> dict[str, dict[str, list[Any]]]:
    """By isic_id and side."""
    found: dict[str, dict[str, list[Any]]] = {}
    columns = ["isic_id", "side", "number", "contribution"]
    for row in metadata.read(path, columns=columns).to_dict("records"):
        found.setdefault(row["isic_id"], {}).setdefault(row["side"], []).append(row)
    return found


def _data_uri(folder: Path, name: str | None) -> str:
    if not name:
        return ""
    try:
        encoded = base64.b64encode((folder / name).read_bytes())
    except OSError as error:
        raise InputError(f"{folder / name} must be a picture, of gallery.csv. {error}") from None
    return f"data:image/png;base64,{encoded.decode()}"
