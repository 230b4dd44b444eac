"""Make each clinic a fold, so that its patients are scored by models that never saw the clinic.

Small clinics are pooled. What is too small even then is learnt from by every model.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from skinlesion.dataset import categories, metadata, partition
from skinlesion.dataset.fold_names import Fold, FoldNames
from skinlesion.errors import InputError
from skinlesion.preparation import split

__all__ = ["by_clinic", "named", "of_patients", "require_folds", "summary"]

POOLED, MISSING, TRAINED_ON = "pooled", "no value", "learnt from only"
NO_CLINIC = ""  # no clinic is called so: its name would be blank, which is no value
N_NAMED = 5  # patients in a message


@dataclass(frozen=True)
class _Group:
    """Clinics that make one fold."""

    name: str
    clinics: list[str]  # with NO_CLINIC, also lesions without a value
    left_out: bool = True


def by_clinic(lesions: pd.DataFrame, p: partition.Params) -> tuple[pd.DataFrame, FoldNames]:
    """Assign every lesion to the holdout or to the fold of its patient's clinic.

    The holdout is that of `split.by_patient`, drawn from the patients of all clinics.

    Args:
        lesions: One row each, with isic_id, patient_id, target and the column `p.by`, of which
            values may be missing. Their order is irrelevant.
        p: The block `split`.

    Returns:
        As `split.by_patient`, and what each fold stands for: clinics of p.clinics.min_positives
        and more, the largest first; those pooled; lesions without a value; lesions to be learnt
        from only.

    Raises:
        InputError: A patient is of two clinics, and p.clinics.patient_of_two is error; or fewer
            than two folds could be left out.
    """
    if p.by in metadata.REQUIRED:
        raise InputError(f"split.by must be a column of clinics, or patient. Got {p.by} instead.")
    column = lesions.set_index("isic_id")[p.by]
    folds = lesions[["isic_id", "patient_id", "target"]].sort_values("isic_id", ignore_index=True)
    values = named(column).reindex(folds["isic_id"]).reset_index(drop=True)
    clinic = of_patients(folds["patient_id"], values, p)
    held = split.held_out(folds, p.holdout_fraction, p.seed)
    groups = list(_groups(folds[~held], clinic[~held], p))
    number = {c: k for k, group in enumerate(groups) for c in group.clinics}
    folds["fold"] = clinic.fillna(NO_CLINIC).map(number).mask(held, partition.HOLDOUT).astype(int)
    if held.any():
        split.require_both_classes(folds, [partition.HOLDOUT])
    found = [_described(k, group, folds) for k, group in enumerate(groups)]
    names = FoldNames(by=p.by, folds=found)
    if len(names.to_leave_out()) < 2:
        raise InputError(
            f"split.by = {p.by} must give two folds or more, each with both classes and at least "
            f"split.clinics.min_positives = {p.clinics.min_positives} positives. Got:\n"
            f"{_table(names)}"
        )
    return folds, names


def named(column: pd.Series) -> pd.Series:
    """Give each clinic one name, its commonest spelling.

    Args:
        column: Clinics, one row per lesion; any type.

    Returns:
        The names, missing where there is no value.
    """
    return categories.canonical(column).map(categories.shown(column))


def of_patients(patient: pd.Series, clinic: pd.Series, p: partition.Params) -> pd.Series:
    """Give all lesions of a patient the same clinic.

    Args:
        patient: patient_id, one row per lesion.
        clinic: Names, missing where there is no value, with the same index.
        p: The block `split`.

    Returns:
        The patient's clinic, one row per lesion: where lesions of a patient lack one, that of the
        others; where there are several, and p.clinics.patient_of_two is most, that of most of
        the patient's lesions, and of equals the first by name.

    Raises:
        InputError: A patient is of several, and p.clinics.patient_of_two is error.
    """
    counted = pd.DataFrame({"patient": patient, "clinic": clinic}).dropna()
    counts = counted.value_counts().reset_index(name="n")
    counts = counts.sort_values(["patient", "n", "clinic"], ascending=[True, False, True])
    several = counts[counts["patient"].duplicated(keep=False)]
    if len(several) and p.clinics.patient_of_two == "error":
        raise InputError(_of_two(several, p.by))
    first = counts.drop_duplicates("patient").set_index("patient")["clinic"]
    return patient.map(first)


def require_folds(names: FoldNames, train_folds: list[int]) -> None:
    """Refuse to train folds that a column does not give.

    Args:
        names: From `by_clinic`.
        train_folds: `split.train_folds`.

    Raises:
        InputError: One of them is no fold that can be left out.
    """
    if set(train_folds) - set(names.to_leave_out()):
        raise InputError(
            f"split.train_folds must be folds that split.by = {names.by} gives. "
            f"Got {train_folds} instead. There are:\n{_table(names)}\n"
            f"To leave each out in turn: -S split.train_folds={_list(names.to_leave_out())}"
        )


def summary(names: FoldNames, train_folds: list[int]) -> str:
    """Say which clinics each fold holds, a line each, and how to train those that are not.

    Args:
        names: From `by_clinic`.
        train_folds: `split.train_folds`.
    """
    every = names.to_leave_out()
    left = len(set(every) - set(train_folds))
    hint = f"{left} more can be left out: -S split.train_folds={_list(every)}"
    return "\n".join([_table(names), *([hint] if left else [])])


def _groups(rest: pd.DataFrame, clinic: pd.Series, p: partition.Params) -> Iterator[_Group]:
    """Divide the clinics of the lesions outside the holdout."""
    counts = rest["target"].groupby(clinic).agg(["size", "sum"])  # sorted by name
    counts = counts.sort_values("size", ascending=False, kind="stable")
    enough = _enough(counts["size"], counts["sum"], p)
    large, small = counts.index[enough].tolist(), counts.index[~enough].tolist()
    yield from (_Group(name, [name]) for name in large)
    of_small, spare = rest["target"][clinic.isin(small)], small
    if _enough(len(of_small), of_small.sum(), p):
        yield _Group(POOLED, small)
        spare = []
    absent = rest["target"][clinic.isna()]
    if p.clinics.missing == "fold" and _enough(len(absent), absent.sum(), p):
        yield _Group(MISSING, [NO_CLINIC])
    elif len(absent):
        spare.append(NO_CLINIC)
    if spare:
        yield _Group(TRAINED_ON, spare, left_out=False)


def _enough(n_lesions: Any, n_positives: Any, p: partition.Params) -> Any:
    """Both classes, and positives enough."""
    return (n_positives >= p.clinics.min_positives) & (n_positives < n_lesions)


def _described(number: int, group: _Group, folds: pd.DataFrame) -> Fold:
    members = folds[folds["fold"] == number]
    return Fold(
        fold=number,
        name=group.name,
        clinics=[c for c in group.clinics if c != NO_CLINIC],
        left_out=group.left_out,
        n_lesions=len(members),
        n_patients=members["patient_id"].nunique(),
        n_positives=int(members["target"].sum()),
    )


def _of_two(several: pd.DataFrame, column: str) -> str:
    by_patient = several.groupby("patient", sort=True)["clinic"]
    said = [f"{patient} ({', '.join(sorted(of))})" for patient, of in by_patient]
    shown = "; ".join(said[:N_NAMED]) + ("; ..." if len(said) > N_NAMED else "")
    return (
        f"split.by = {column}: each patient must be of one clinic, or it would be on two sides. "
        f"Got {len(said):,} of several: {shown}. Correct the table, or give each to the clinic of "
        f"most of its lesions: -S split.clinics.patient_of_two=most"
    )


def _table(names: FoldNames) -> str:
    return "\n".join(_line(each) for each in names.folds)


def _line(each: Fold) -> str:
    of = f" ({'; '.join(each.clinics)})" if each.clinics not in ([], [each.name]) else ""
    head = f"fold {each.fold} " if each.left_out else "no fold"
    return (
        f"{head}  {each.n_patients:6,} patients  {each.n_lesions:8,} lesions"
        f"  {each.n_positives:5,} positives  {each.name}{of}"
    )


def _list(folds: list[int]) -> str:
    return f"[{','.join(map(str, folds))}]"
