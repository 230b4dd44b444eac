"""The lesions of a request: rows and tiles, taken from its form and checked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from skinlesion.dataset import ids
from skinlesion.serving import form, refusal, row, table, tiles
from skinlesion.serving.settings import Settings
from skinlesion.serving.values import Column

__all__ = ["Lesions", "of_patient", "one"]

N_SHOWN = 5


@dataclass(frozen=True)
class Lesions:
    """Lesions of one patient, and what their sender should know of them."""

    table: pd.DataFrame  # isic_id, patient_id and the columns that the models read
    tiles: Mapping[str, bytes]
    warnings: Sequence[str] = ()


def one(parts: list[form.Part], needed: Sequence[Column], settings: Settings) -> Lesions:
    """Take one lesion from a form.

    Args:
        parts: `tile`, and `row`: a JSON object with the columns that the models read.
        needed: Those columns.
        settings: With limits.

    Raises:
        RefusalError: A part is absent or not what it must be.
    """
    found = row.read(form.single(parts, "row").content, needed)
    tile = tiles.checked(form.single(parts, "tile"), "tile", settings)
    return Lesions(found, {found["isic_id"].iloc[0]: tile})


def of_patient(parts: list[form.Part], needed: Sequence[Column], settings: Settings) -> Lesions:
    """Take the lesions of a patient from a form.

    Args:
        parts: `table`, a CSV file with isic_id and the columns that the models read, and `tiles`.
        needed: Those columns.
        settings: With limits.

    Returns:
        The lesions in the order of the table. One without tile stays among them: its table is
        scored. A tile without lesion is left out with a warning.

    Raises:
        RefusalError: A part is not what it must be, no tile is of a lesion of the table, or the
            lesions are of several patients.
    """
    lesions = table.read(form.single(parts, "table").content, needed)
    if len(lesions) > settings.tiles:
        expected = f"at most {settings.tiles:,} lesions"
        raise refusal.one(413, "table", expected, f"{len(lesions):,}")
    found = tiles.by_lesion([p for p in parts if p.name == "tiles"], settings)
    known = set(lesions["isic_id"])
    if not known & set(found):
        hint = ids.hint(lesions["isic_id"], found) if found else "no tile"
        raise refusal.one(422, "tiles", "tiles of the lesions of the table", hint)
    return Lesions(
        lesions,
        {isic_id: tile for isic_id, tile in found.items() if isic_id in known},
        [
            *_listed("no row, so left out", sorted(set(found) - known)),
            *_listed("no tile", [i for i in lesions["isic_id"] if i not in found]),
        ],
    )


def _listed(lack: str, isic_ids: list[str]) -> Iterator[str]:
    if isic_ids:
        more = ", ..." * (len(isic_ids) > N_SHOWN)
        yield f"{len(isic_ids):,} with {lack}: {', '.join(isic_ids[:N_SHOWN])}{more}"
