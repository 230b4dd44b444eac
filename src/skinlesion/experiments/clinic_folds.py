"""Say what `dvc exp run` needs to leave each clinic out in turn: DVC wants the folds by number."""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from dvc.exceptions import DvcException
from dvc.scm import resolve_rev
from dvc.utils.hydra import apply_overrides
from hydra.errors import HydraException

from skinlesion import params
from skinlesion.dataset import metadata, partition
from skinlesion.dataset.fold_names import FoldNames
from skinlesion.errors import InputError
from skinlesion.evaluation import clinics as measured
from skinlesion.evaluation import runs
from skinlesion.experiments import repository
from skinlesion.preparation import clinics

__all__ = ["Folds", "arguments", "find"]

OOF = Path("calibrated/oof.csv")  # where a run keeps its out-of-fold scores


@dataclass(frozen=True)
class Folds:
    """What a column gives."""

    lesions: pd.DataFrame  # isic_id, patient_id, target and fold
    names: FoldNames
    settings: list[str]  # of params, each "key=value"


def find(column: str, settings: Sequence[str]) -> Folds:
    """Divide the training lesions of params.yaml by a column.

    Args:
        column: Of the training metadata, such as attribution.
        settings: Changes of params, each "key=value" as for `dvc exp run -S`.

    Raises:
        InputError: A setting, the params, the table or its column cannot be used.
    """
    if not re.fullmatch(r"[\w.-]+", column):
        raise InputError(
            f"a shell would read the column's name. Set split.by to {column!r} in params.yaml; "
            f"stage `split` says which folds there are."
        )
    changed = [*settings, f"split.by={column}"]
    data, p = _params(changed)
    table = Path(data.raw) / "train-metadata.csv"
    lesions = metadata.read(table, columns=[*metadata.REQUIRED, column])
    lesions = lesions[~lesions["isic_id"].isin(data.exclude)]
    if lesions["patient_id"].isna().any() or not lesions["target"].isin([0, 1]).all():
        raise InputError(f"{table} must pass the check first: dvc repro check")
    folds, names = clinics.by_clinic(lesions.astype({"target": int}), p)
    return Folds(folds, names, changed)


def arguments(found: Folds, *, against: str | None) -> str:
    """Write the arguments of `dvc exp run` that leave each clinic out in turn.

    Args:
        found: From `find`.
        against: A run under patient folds to compare with, as experiment, branch, tag or commit;
            it is written as its commit, which stays what it is.

    Raises:
        InputError: There is no such run, or it is not of the same lesions in two folds or more.
    """
    every = found.names.to_leave_out()
    settings = [*found.settings, f"split.train_folds=[{','.join(map(str, every))}]"]
    if against is not None:
        commit = _commit(against)
        scored = found.lesions[found.lesions["fold"].isin(every)].assign(score=0.0)
        measured.same_lesions(scored, runs.read(commit, OOF))
        settings.append(f"evaluate.patient_folds={commit}")
    return " ".join(f"-S {setting}" for setting in settings)


def _params(settings: Sequence[str]) -> tuple[metadata.Params, partition.Params]:
    """The blocks of params.yaml as `dvc exp run` would change them."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "params.yaml"
        try:
            shutil.copy("params.yaml", path)
            apply_overrides(path, list(settings))
        except FileNotFoundError:
            raise InputError("params.yaml must be in this folder. There is none.") from None
        except (HydraException, DvcException) as error:
            raise InputError(f"-S must be KEY=VALUE as for `dvc exp run`. {error}") from None
        try:
            return params.load("data", metadata.Params, path), params.load(
                "split", partition.Params, path
            )
        except params.ParamsError as error:  # of a file that is gone by now
            raise InputError(str(error).replace(str(path), "params.yaml")) from None


def _commit(run: str) -> str:
    with repository.opened() as repo:
        return str(resolve_rev(repo.scm, run))
