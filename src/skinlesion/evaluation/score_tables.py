"""The tables of scores that stage `calibrate` reads, and those that it writes."""

from pathlib import Path

import pandas as pd

from skinlesion.dataset import metadata
from skinlesion.errors import InputError
from skinlesion.evaluation import stacking
from skinlesion.evaluation.combination import SPREADS, Combination

__all__ = ["apply", "apply_nested", "join", "marked"]


def join(predictions: Path) -> dict[str, pd.DataFrame]:
    """Read the members' scores.

    Args:
        predictions: The folder that stage `predict` writes.

    Returns:
        Under "submission", "holdout" and "oof": what the network's table holds, its score as
        `network`, and `table`, `table_alone` and `colour`, those that were scored; the columns of
        SPREADS, those that there are.

    Raises:
        InputError: A table is absent, or lacks a lesion of the network's.
    """
    found = {}
    for name, other in (("submission", "test"), ("holdout", "holdout"), ("oof", "oof")):
        scored = metadata.read(predictions / f"{name}.csv")
        network = scored["target" if name == "submission" else "score"]
        added = _by_table(predictions / f"table-{other}.csv", scored["isic_id"])
        spread = _by_table(predictions / f"network-{other}.csv", scored["isic_id"])
        found[name] = pd.concat([scored.assign(network=network), added, spread], axis=1)
    return found


def apply(scored: pd.DataFrame, combined: Combination) -> pd.DataFrame:
    """Combine scores.

    Args:
        scored: From `join`.
        combined: From `stacking.fit`.

    Returns:
        What is known of the lesions, score, the members' scores as `member_...`, and, where
        there is a table expert, score_alone, of each lesion as its patient's only one; the
        columns of SPREADS that there are, and uncertainty, as `Combination.uncertainty`.
    """
    return _laid_out(scored, combined.apply(scored))


def apply_nested(oof: pd.DataFrame, members: list[str], p: stacking.Params) -> pd.DataFrame:
    """Combine out-of-fold scores as `stacking.nested` does.

    Args:
        oof: From `join`.
        members: From `stacking.present`.
        p: The block `calibrate`.

    Returns:
        As `apply`, and probability.
    """
    return _laid_out(oof, stacking.nested(oof, members, p))


def marked(table: pd.DataFrame, marks_csv: Path) -> pd.DataFrame:
    """Mark the lesions that lie far outside the training data.

    Args:
        table: isic_id, one row per lesion.
        marks_csv: isic_id and shift, of these lesions, from stage `shift`.

    Returns:
        The table with shift, "" or what is far outside, as its last column.

    Raises:
        InputError: A lesion has no row.
    """
    marks = metadata.read(marks_csv, columns=["isic_id", "shift"], text=["shift"])
    found = marks.set_index("isic_id")["shift"]
    absent = sorted(set(table["isic_id"]) - set(found.index))
    if absent:
        raise InputError(f"{marks_csv} must hold every lesion. {absent[0]} is absent.")
    return table.assign(shift=found.loc[table["isic_id"]].fillna("").to_numpy())


def _by_table(path: Path, isic_ids: pd.Series) -> pd.DataFrame:
    """Read the scores by the lesions' numbers, in the order of the lesions."""
    scores = metadata.read(path).set_index("isic_id")
    absent = sorted(set(isic_ids) - set(scores.index)) if len(scores.columns) else []
    if absent:
        raise InputError(f"{path} must hold every lesion. {absent[0]} is absent.")
    return scores.reindex(isic_ids).reset_index(drop=True)


def _laid_out(scored: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """What is known of the lesions, and what was found, in the order of the columns as written."""
    members = [c for c in ("network", "table", "table_alone", "colour") if c in scored]
    columns = {c: scored[c] for c in ("isic_id", "patient_id", "target", "fold") if c in scored}
    columns["score"] = found["score"]
    columns |= {f"member_{c}": scored[c] for c in members}
    if "table_alone" in members:
        columns["score_alone"] = found["score_alone"]
    columns |= {c: scored[c] for of in SPREADS.values() for c in of if c in scored}
    return pd.DataFrame(columns).join(found.drop(columns=["score", "score_alone"]))
