"""Compute the numbers of a plan from a metadata table."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from skinlesion.derivation import derived, relative
from skinlesion.derivation.plan import AREA, CATEGORICAL, OF_A_NUMBER, Params, Plan
from skinlesion.errors import InputError
from skinlesion.params import nearest

__all__ = ["columns", "compute"]


def columns(p: Params) -> list[str]:
    """List the columns of the metadata that may be read.

    Args:
        p: The block `derive`.
    """
    shared = [c for group in relative.GROUPS.values() for c in group]
    kinds = CATEGORICAL if p.categorical == "all" else p.categorical
    return list(dict.fromkeys(["isic_id", *shared, *derived.BASE, *kinds]))


def compute(
    lesions: pd.DataFrame, plan: Plan, p: Params, *, tiles: Mapping[str, np.ndarray] | None = None
) -> dict[str, np.ndarray]:
    """Compute numbers.

    Args:
        lesions: isic_id and the columns that the plan needs, one row per lesion. Each patient's
            lesions at hand are what its numbers are relative to.
        plan: From `plan.make`.
        p: The block `derive`.
        tiles: The numbers of the tiles by name, shape (n_lesions,), NaN where there is no tile;
            all of them are missing where this is None.

    Returns:
        By name and in the order of the plan, shape (n_lesions,), float32, finite or NaN.

    Raises:
        InputError: A column that the plan needs is absent.
    """
    given = _base(lesions, plan)
    groups = {
        name: relative.group(lesions, shared, min_lesions=p.min_lesions)
        for name, shared in relative.GROUPS.items()
    }
    formulas = {f.name: f for f in derived.FORMULAS}
    outlying = {name: relative.Outlying.none(len(lesions)) for name in groups}
    found: dict[str, np.ndarray] = {}
    for name in plan.numbers:
        if name in formulas:
            values = derived.derive(formulas[name], given)
        elif name in plan.base:
            values = given[name]
        else:
            values = _tile(tiles, name, len(lesions))
        found[name] = values.astype(np.float32)
        for among, group in groups.items():
            of_group = relative.statistics(values, group, _wanted(p, among))
            found |= {f"{name}|{s}|{among}": v for s, v in of_group.items()}
            if "z" in of_group:
                outlying[among].add(of_group["z"])
    for among, group in groups.items():
        found |= _of_group(group, outlying[among], given, among)
    return {name: found[name] for name in [*plan.numbers, *plan.relative]}


def _base(lesions: pd.DataFrame, plan: Plan) -> dict[str, np.ndarray]:
    formulas = {f.name: f.needs for f in derived.FORMULAS}
    needed = dict.fromkeys([*plan.base, *(c for name in plan.derived for c in formulas[name])])
    if any(name.startswith("total_area") for name in plan.relative):
        needed[AREA] = None
    for name in needed:
        if name not in lesions:
            near = nearest(name, lesions.columns)
            raise InputError(f"the table must have a column {name!r}.{near}")
    return {
        name: derived.finite(
            pd.to_numeric(lesions[name], errors="coerce").to_numpy(np.float64, na_value=np.nan)
        )
        for name in needed
    }


def _tile(tiles: Mapping[str, np.ndarray] | None, name: str, n: int) -> np.ndarray:
    if tiles is None:
        return np.full(n, np.nan)
    return derived.finite(np.asarray(tiles[name], np.float64))


def _wanted(p: Params, among: str) -> list[relative.Statistic]:
    """The statistics of each number; z also where it only serves to find what is outlying."""
    asked: list[relative.Statistic] = getattr(p.relative, among)
    needs_z = "outlying" in asked and "z" not in asked
    return [s for s in asked if s in OF_A_NUMBER] + (["z"] if needs_z else [])


def _of_group(
    group: relative.Groups, outlying: relative.Outlying, given: dict[str, np.ndarray], among: str
) -> dict[str, np.ndarray]:
    found = {f"n_lesions|{among}": group.spread_out(group.n[group.code])}
    if AREA in given:
        area = np.nan_to_num(given[AREA][group.rows])
        found[f"total_area|{among}"] = group.spread_out(group.total(area)[group.code])
    return found | {f"{name}|{among}": v for name, v in outlying.numbers().items()}
