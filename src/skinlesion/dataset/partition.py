"""The folds of a challenge folder: each patient's lesions in one of them, or in the holdout."""

from typing import Literal

import pandas as pd
from pydantic import Field, model_validator

from skinlesion.errors import InputError
from skinlesion.params import Block

__all__ = ["HOLDOUT", "PATIENT", "Clinics", "Params", "training_rows"]

HOLDOUT = -1  # the fold of patients that no training, encoding, resampling or choice ever sees
PATIENT = "patient"  # of split.by: folds are of patients, whatever their clinic


class Clinics(Block):
    """Block `split.clinics`: how a column of clinics becomes folds."""

    min_positives: int = Field(ge=1)
    missing: Literal["fold", "train"]
    patient_of_two: Literal["error", "most"]


class Params(Block):
    """Block `split`: how patients are divided."""

    by: str = Field(min_length=1)
    clinics: Clinics
    n_folds: int = Field(ge=2)
    holdout_fraction: float = Field(ge=0, lt=1)
    train_folds: list[int] = Field(min_length=1)
    seed: int = Field(ge=0)

    @model_validator(mode="after")
    def _folds_exist(self) -> "Params":
        given = set(self.train_folds)
        if self.by != PATIENT:  # how many folds there are, the column says: stage `split` checks
            if len(given) < len(self.train_folds) or min(given) < 0:
                raise ValueError("a block whose train_folds are different folds, from 0")
        elif len(given) < len(self.train_folds) or given - set(range(self.n_folds)):
            last = self.n_folds - 1
            raise ValueError(f"a block whose train_folds are different folds of 0..{last}")
        return self


def training_rows(folds: pd.DataFrame, *, validation_fold: int) -> pd.DataFrame:
    """Select the lesions that a fold's model may learn from.

    Args:
        folds: isic_id, patient_id, target and fold, as `split.by_patient` gives them.
        validation_fold: The fold that is left out; so is the holdout, whose fold is negative.

    Raises:
        InputError: There is no such fold, or its training lesions lack one of the classes.
    """
    known = sorted(set(folds["fold"]) - {HOLDOUT})
    if validation_fold not in known:
        raise InputError(f"fold {validation_fold} must be one of {known}.")
    rows = folds[(folds["fold"] >= 0) & (folds["fold"] != validation_fold)]
    if rows["target"].nunique() < 2:
        raise InputError(f"fold {validation_fold}: its training lesions must be of both classes.")
    return rows
