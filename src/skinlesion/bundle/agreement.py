"""How far a bundle's scores are from those that the stages before have written."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from skinlesion.bundle import combining, rows, runtime
from skinlesion.dataset import batches, metadata, stores
from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.evaluation import calibration, score_tables
from skinlesion.features import tabular
from skinlesion.scoring import litert

__all__ = ["Files", "compared", "inputs", "measured", "said"]

N_LESIONS = 256  # the first, all lesions of whose patients are compared
DIGITS = 2  # kept of a difference
MEMBERS = ("network", "table", "probability")


@dataclass(frozen=True)
class Files:
    """The test set, and its scores from stages `predict` and `calibrate`."""

    test_metadata: Path
    test_images: Path
    predictions: Path


def measured(bundle: runtime.Bundle, files: Files, calibrated: Path) -> dict[str, Any]:
    """Score the first patients of the test set, and compare.

    Args:
        bundle: The bundle.
        files: The lesions and their members' scores.
        calibrated: From stage `calibrate`.

    Returns:
        As `compared`.

    Raises:
        InputError: A file is absent or malformed.
    """
    table = metadata.read(files.test_metadata, text=bundle.reads.text)
    if "patient_id" in table:
        patients = table["patient_id"].fillna(table["isic_id"])
        first = pd.unique(patients[:N_LESIONS])
        table = table[patients.isin(first)]
    lesions = rows.checked(table, bundle.reads)
    scored = bundle.members(lesions, stores.open_store(files.test_images))
    # What stands for an unreadable tile depends on all others of its table.
    found = combining.finished(scored, bundle.combined)[(scored["reason"] == "").to_numpy()]
    given = score_tables.join(files.predictions)["submission"].set_index("isic_id")
    probability = metadata.read(calibrated / "submission.csv").set_index("isic_id")["target"]
    return compared(found.set_index("isic_id"), given.assign(probability=probability))


def inputs(bundle: runtime.Bundle, files: Files) -> dict[FoldSeed, dict[str, np.ndarray]]:
    """Read what each network takes of the first test lesions, to run it on another engine.

    Args:
        bundle: The bundle.
        files: The lesions.

    Returns:
        By fold and seed, as for `litert.Network.run`, of at most `litert.N_AT_A_TIME` lesions.

    Raises:
        InputError: A file is absent or malformed.
    """
    table = metadata.read(files.test_metadata, text=bundle.reads.text)
    lesions = rows.checked(table[: litert.N_AT_A_TIME], bundle.reads)
    store, found = stores.open_store(files.test_images), {}
    for one, m in bundle.networks.items():
        px, encoded = m.image_px, tabular.transform(lesions, m.encoder)
        of = batches.Lesions(lesions["isic_id"].to_numpy(), encoded, store if px else None, px)
        ((given, _),) = batches.scoring(of, batch_size=len(lesions), strict=False)
        found[one] = given
    return found


def compared(found: pd.DataFrame, given: pd.DataFrame) -> dict[str, Any]:
    """Compare scores of the same lesions.

    Args:
        found: Scores by isic_id, columns of MEMBERS.
        given: The same of at least those lesions; columns that it lacks are not compared.

    Returns:
        n_lesions; largest_difference of log odds, by column; same_ranking, by probability.
    """
    given = given.loc[found.index]
    apart = {
        name: float(f"{_apart(found[name], given[name]):.{DIGITS}g}")
        for name in MEMBERS
        if name in given and found[name].notna().all()
    }
    ranks = [t["probability"].rank(method="min").tolist() for t in (found, given)]
    return {
        "n_lesions": len(found),
        "largest_difference": apart,
        "same_ranking": ranks[0] == ranks[1],
    }


def said(agreement: dict[str, Any]) -> str:
    """Say in a line how well scores agree.

    Args:
        agreement: From `compared`.
    """
    each = agreement["largest_difference"].items()
    said = ", ".join(f"{name} {apart:g}" for name, apart in each) or "nothing to compare"
    order = "the same" if agreement["same_ranking"] else "another"
    return (
        f"against the pipeline, {agreement['n_lesions']:,} test lesions, largest difference of "
        f"log odds: {said}; {order} ranking"
    )


def _apart(one: pd.Series, other: pd.Series) -> float:
    logits = (calibration.logits(of.to_numpy(np.float64)) for of in (one, other))
    return float(np.abs(np.subtract(*logits)).max(initial=0.0))
