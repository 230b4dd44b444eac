"""Score the lesions of a challenge folder with a bundle, in bounded memory."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from skinlesion.bundle import combining, rows, runtime, spill
from skinlesion.dataset import atomic, metadata, stores
from skinlesion.errors import InputError
from skinlesion.features import anomalies
from skinlesion.scoring import test_set

__all__ = ["Files", "score"]

N_AT_A_TIME = 8192  # lesions that are held with all their numbers, and those of a last patient
N_ROWS = 4096  # of the table that are read at a time


@dataclass(frozen=True)
class Files:
    """What is read, and the folder that is written."""

    bundle: Path
    metadata: Path
    images: Path
    out: Path


def score(files: Files, *, strict: bool) -> str:
    """Write predictions.csv, as from `Bundle.score`, and unreadable.csv (isic_id, reason).

    Lesions are scored patient by patient, whatever their order in the table. Of each, only what is
    written is held in memory until the end. Files of an earlier run stay until the new ones are
    whole.

    Args:
        files: What is read and written. The folder `out` is made.
        strict: Whether a tile that cannot be read is an error.

    Returns:
        A line that says what was scored.

    Raises:
        InputError: The bundle, the table or the tiles are not what they must be.
        OSError: The folder cannot be written.
    """
    with _folder(files.out):
        return _scored(files, strict=strict)


@contextmanager
def _folder(out: Path) -> Iterator[None]:
    """Make a folder: an error now, not after hours of scoring. If nothing came of it, it goes."""
    is_new = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        if is_new and not any(out.iterdir()):
            out.rmdir()


def _scored(files: Files, *, strict: bool) -> str:
    bundle, store = runtime.open(files.bundle), stores.open_store(files.images, rehearse=True)
    sys.stderr.write(anomalies.said(files.metadata, [m.encoder for m in bundle.networks.values()]))
    ids = _ids(files.metadata)
    part, _ = spill.parts(ids["patient_id"], N_AT_A_TIME)
    columns = bundle.reads
    spilled = spill.Spill(files.out, part, numeric=columns.numeric, text=columns.text)
    with spilled, tqdm(total=len(ids), desc="score", unit="lesion", mininterval=1) as bar:
        for piece in _pieces(files.metadata, columns):
            spilled.write(piece)
        found = []
        for at, lesions in spilled.read():
            lesions.insert(0, "isic_id", ids["isic_id"].to_numpy()[at])
            lesions.insert(1, "patient_id", ids["patient_id"].to_numpy()[at])
            found.append(bundle.members(lesions, store).set_axis(at))
            _require_readable(found[-1], strict=strict)
            bar.update(len(at))
    return _written(pd.concat(found).sort_index(), bundle, files.out)


def _written(scored: pd.DataFrame, bundle: runtime.Bundle, out: Path) -> str:
    unreadable = scored.loc[scored["reason"] != "", ["isic_id", "reason"]]
    if len(unreadable) == len(scored):
        first = unreadable["reason"].iloc[0]  # an id that is spelled otherwise shows it
        raise InputError(
            f"at least one tile must be readable. Got none of {len(scored):,}. {first}"
        )
    finished = combining.finished(scored, bundle.combined)
    for name, table in (("unreadable.csv", unreadable), ("predictions.csv", finished)):
        with atomic.file(out / name) as file:
            table.to_csv(file, index=False)
    return (
        f"score: {len(scored):,} lesions into {out / 'predictions.csv'}, "
        f"{len(unreadable):,} of them without a readable tile"
    )


def _ids(metadata_csv: Path) -> pd.DataFrame:
    """Read who the lesions are of."""
    isic_ids = test_set.isic_ids(metadata_csv)
    if "patient_id" not in metadata.header(metadata_csv):
        return pd.DataFrame({"isic_id": isic_ids, "patient_id": None})
    pieces = metadata.chunks(metadata_csv, columns=["patient_id"], n_lesions=N_ROWS)
    names = pd.concat([piece["patient_id"] for piece in pieces], ignore_index=True)
    code, found = pd.factorize(names)
    shared = pd.Series([*found, None], dtype=object).to_numpy()[code]  # each name once in memory
    return pd.DataFrame({"isic_id": isic_ids, "patient_id": shared})


def _pieces(metadata_csv: Path, columns: rows.Columns) -> Iterator[pd.DataFrame]:
    names = ["isic_id", *columns.numeric, *columns.text]
    for piece in metadata.chunks(metadata_csv, columns=names, text=columns.text, n_lesions=N_ROWS):
        try:
            yield rows.checked(piece, columns)
        except InputError as error:
            raise InputError(f"{metadata_csv}: {error}") from None


def _require_readable(scored: pd.DataFrame, *, strict: bool) -> None:
    reasons = scored["reason"][scored["reason"] != ""]
    if strict and len(reasons):
        raise InputError(reasons.iloc[0])
