"""What a client is answered, as schema and as JSON."""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import BaseModel, Field

from skinlesion.serving import words
from skinlesion.serving.lesions import Lesions
from skinlesion.serving.scorer import Bundle, Scored
from skinlesion.serving.settings import Settings

__all__ = ["Answer", "Model", "Occlusion", "model", "occlusion", "scores"]

MEMBERS = ("network", "table")
N_REASONS = 4  # for a lesion, and as many against


class Version(BaseModel):
    """Which bundle answered."""

    version: str
    checksum: str = Field(description="SHA-256 of its manifest.")


class Reason(BaseModel):
    """What a value of the table speaks for."""

    feature: str
    label: str
    value: float | str | None
    contribution: float = Field(description="To the logit; above 0 it speaks for cancer.")


class Lesion(BaseModel):
    """One lesion, scored."""

    isic_id: str
    probability: float | None = Field(description="Of cancer; null where nothing can score it.")
    in_words: str
    rank: int | None = Field(description="1: the most suspicious lesion of its patient.")
    n_lesions: int = Field(description="Of the patient, in this request.")
    operating_points: list[str] = Field(description="Those whose threshold it reaches.")
    uncertainty: float | None = Field(description="Standard deviation of the logit over models.")
    shift: list[str] = Field(description="In what it differs from the lesions of the training.")
    reasons: list[Reason] = Field(description="The strongest for and against, of the top lesions.")
    unreadable: str | None = Field(description="Why its tile cannot be read.")
    members: dict[str, float | None] = Field(description="The probability of each model alone.")


class Answer(BaseModel):
    """The lesions of a request, in its order."""

    bundle: Version
    warnings: list[str]
    lesions: list[Lesion]


class Occlusion(BaseModel):
    """How much of the network's logit is lost where a patch of the tile is hidden."""

    rows: int
    columns: int
    drop: list[list[float]]


class Model(BaseModel):
    """What answers here, and what it takes."""

    name: str
    version: str
    checksum: str
    card: dict[str, Any]
    operating_points: list[dict[str, Any]]
    look_budget: list[dict[str, float | None]]
    columns: list[dict[str, Any]]
    limits: dict[str, float]
    notice: str


def scores(lesions: Lesions, scored: Scored, bundle: Bundle) -> bytes:
    """Write the answer to lesions.

    Args:
        lesions: As they were sent.
        scored: What the bundle says of them.
        bundle: Which it was.

    Returns:
        An `Answer` as JSON.
    """
    isic_ids, rows = lesions.table["isic_id"], scored.scores.to_dict("records")
    points = {p["name"]: p["threshold"] for p in bundle.operating_points}
    return _json(
        {
            "bundle": {"version": bundle.version, "checksum": bundle.checksum},
            "warnings": list(lesions.warnings),
            "lesions": [
                _lesion(isic_id, row, why, points)
                for isic_id, row, why in zip(isic_ids, rows, scored.reasons, strict=True)
            ],
        }
    )


def occlusion(drop: np.ndarray) -> bytes:
    """Write where the network looks.

    Args:
        drop: Shape (rows, columns), of the logit.

    Returns:
        An `Occlusion` as JSON.
    """
    rows, columns = drop.shape
    return _json({"rows": rows, "columns": columns, "drop": drop.astype(float).tolist()})


def model(bundle: Bundle, settings: Settings) -> bytes:
    """Write what a client may know of the bundle and of the service.

    Returns:
        A `Model` as JSON.
    """
    return _json(
        {
            "name": bundle.card.get("name", "lesion-risk"),
            "version": bundle.version,
            "checksum": bundle.checksum,
            "card": bundle.card,
            "operating_points": bundle.operating_points,
            "look_budget": bundle.card.get("look_budget", []),
            "columns": bundle.columns,
            "limits": settings.limits,
            "notice": bundle.card["notice"],
        }
    )


def _lesion(
    isic_id: str, row: Mapping[Any, Any], why: list[dict[str, Any]], points: Mapping[str, float]
) -> dict[str, Any]:
    probability = row["probability"]
    known = not math.isnan(probability)
    return {
        "isic_id": isic_id,
        "probability": probability,
        "in_words": words.frequency(probability) if known else "unknown",
        "rank": int(row["rank"]) if known else None,
        "n_lesions": int(row["n_lesions"]),
        "operating_points": [name for name, least in points.items() if probability >= least],
        "uncertainty": row["uncertainty"],
        "shift": [reason for reason in row["shift"].split("; ") if reason],
        "reasons": _strongest(why),
        "unreadable": row["reason"] or None,
        "members": {name: row[name] for name in MEMBERS if name in row},
    }


def _strongest(reasons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Keep the strongest reasons for and against, in their order."""
    signs = {True: 0, False: 0}
    found = []
    for reason in reasons:
        sign = reason["contribution"] > 0
        if signs[sign] < N_REASONS:
            signs[sign] += 1
            found.append(reason)
    return found


def _json(answer: Mapping[str, Any]) -> bytes:
    return json.dumps(_finite(answer), ensure_ascii=False, allow_nan=False).encode()


def _finite(value: Any) -> Any:
    """Replace what is not a number by null: JSON has no other word for it."""
    if isinstance(value, Mapping):
        return {name: _finite(v) for name, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
