"""Read the scores of a run: from a file, or from a commit or experiment of DVC."""

from pathlib import Path

import numpy as np
import pandas as pd

from skinlesion.dataset import metadata
from skinlesion.errors import InputError

__all__ = ["folds", "read"]

COLUMNS = ["isic_id", "patient_id", "target", "score"]


def read(source: str, path: Path) -> pd.DataFrame:
    """Read the scores of a run.

    Args:
        source: A CSV file; or a commit, branch, tag or experiment of the DVC repository that the
            current folder is in, whose scores are then taken from the cache or the remote. Of an
            experiment that runs in `.dvc/tmp/exps/...`, the repository is that it was made from.
        path: Where the scores of a run are, in such a repository.

    Returns:
        isic_id, patient_id, target and score, and fold and the members' scores where there are
        any; one row per lesion.

    Raises:
        InputError: There is no such file and no such revision, its scores are neither in the
            cache nor on the remote, or they lack a column.
    """
    if Path(source).is_file():
        return _checked(metadata.read(Path(source)), source)
    return _checked(_of_revision(source, path), f"{path} of {source}")


def folds(source: str, path: Path) -> pd.DataFrame:
    """Read how a run divided the lesions.

    Args:
        source: As for `read`. Of a file of scores, the folds are those of the current folder.
        path: Where a run keeps its folds: what stage `split` writes.

    Returns:
        isic_id, patient_id and fold, one row per lesion.

    Raises:
        InputError: They are not there, or lack a column.
    """
    table = metadata.read(path) if Path(source).is_file() else _of_revision(source, path)
    columns = ["isic_id", "patient_id", "fold"]
    if not set(columns) <= set(table):
        raise InputError(f"{path} must have the columns {columns}. Got {list(table)} instead.")
    return table[columns]


def _of_revision(source: str, path: Path) -> pd.DataFrame:
    # DVC takes a second to load, and a comparison of two tables does not need it.
    import dvc.api
    from dvc.exceptions import DvcException
    from dvc_data.index import DataIndexError
    from scmrepo.exceptions import SCMError

    try:
        with dvc.api.open(str(path), repo=_repository(), rev=source, encoding="utf-8") as file:
            return pd.read_csv(file, dtype={"isic_id": str, "patient_id": str})
    except (DvcException, DataIndexError, SCMError, OSError) as error:
        raise InputError(
            f"{source} must be a file of scores, or a revision or experiment whose {path} is in "
            f"the cache or on the remote: `skinlesion experiments` lists them, `dvc pull` or "
            f"`dvc repro` brings those of this commit. {error}"
        ) from None


def _checked(table: pd.DataFrame, name: str) -> pd.DataFrame:
    if not set(COLUMNS) <= set(table):
        raise InputError(f"{name} must have the columns {COLUMNS}. Got {list(table)} instead.")
    _require_scores(table, name)
    more = [c for c in table if c == "fold" or str(c).startswith("member_")]
    return table[[*COLUMNS, *more]]


def _require_scores(table: pd.DataFrame, name: str) -> None:
    isic_id, score = table["isic_id"], pd.to_numeric(table["score"], errors="coerce")
    wrong = {
        "a patient_id": table["patient_id"].isna(),
        "a target of 0 or 1": ~pd.to_numeric(table["target"], errors="coerce").isin([0, 1]),
        "a score that is a finite number": ~np.isfinite(score),
        "one row": isic_id.duplicated(),
    }
    if isic_id.isna().any():
        n_before = int(isic_id.isna().argmax())
        raise InputError(f"{name} must name each lesion. Row {n_before + 1} has no isic_id.")
    for what, rows in wrong.items():
        if rows.any():
            row = table[rows].iloc[0]
            got = row[["patient_id", "target", "score"]].to_dict()
            raise InputError(
                f"{name} must give each lesion {what}. Got {row['isic_id']} with {got} "
                f"({rows.sum():,} such rows)."
            )


def _repository() -> str | None:
    """The repository that a temporary one was made from, which alone knows other experiments."""
    above = [path for path in Path.cwd().parents if path.parts[-3:] == (".dvc", "tmp", "exps")]
    return str(above[0].parents[2]) if above else None
