"""Compute the numbers of a plan from a metadata table."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from skinlesion.dataset.columns import outside
from skinlesion.derivation import derived, relative
from skinlesion.derivation.plan import AREA, CATEGORICAL, OF_A_NUMBER, Params, Plan
from skinlesion.errors import InputError
from skinlesion.params import nearest

__all__ = ["columns", "compute"]

FORMULAS = {f.name: f for f in derived.FORMULAS}


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
    given, n = _base(lesions, plan), len(lesions)
    contexts = [
        _Context(name, relative.group(lesions, shared, min_lesions=p.min_lesions), _wanted(p, name))
        for name, shared in relative.GROUPS.items()
    ]
    found: dict[str, np.ndarray] = {}
    for name in plan.numbers:
        values = given[name] if name in plan.base else _made(name, given, tiles, n)
        found[name] = values.astype(np.float32)
        for context in contexts:
            found |= context.of_number(name, values)
    for context in contexts:
        found |= context.of_group(given)
    return {name: found[name] for name in [*plan.numbers, *plan.relative]}


def _base(lesions: pd.DataFrame, plan: Plan) -> dict[str, np.ndarray]:
    needed = dict.fromkeys([*plan.base, *(c for n in plan.derived for c in FORMULAS[n].needs)])
    if any(name.startswith("total_area") for name in plan.relative):
        needed[AREA] = None
    for name in needed:
        if name not in lesions:
            near = nearest(name, lesions.columns)
            raise InputError(f"the table must have a column {name!r}.{near}")
    return {
        name: _possible(
            name,
            pd.to_numeric(lesions[name], errors="coerce").to_numpy(np.float64, na_value=np.nan),
        )
        for name in needed
    }


def _possible(name: str, values: np.ndarray) -> np.ndarray:
    """Count what a column cannot have as missing, as for the network."""
    return derived.finite(np.where(outside(name, values), np.nan, values))


def _made(
    name: str, given: Mapping[str, np.ndarray], tiles: Mapping[str, np.ndarray] | None, n: int
) -> np.ndarray:
    """Compute a formula, or take what was measured on the tiles."""
    if name in FORMULAS:
        return derived.derive(FORMULAS[name], given)
    return np.full(n, np.nan) if tiles is None else derived.finite(tiles[name].astype(np.float64))


def _wanted(p: Params, among: str) -> list[relative.Statistic]:
    """The statistics of each number; z also where it only serves to find what is outlying."""
    asked: list[relative.Statistic] = getattr(p.relative, among)
    needs_z = "outlying" in asked and "z" not in asked
    return [s for s in asked if s in OF_A_NUMBER] + (["z"] if needs_z else [])


class _Context:
    """What numbers are relative to: the lesions of a patient, of its site, or of its location."""

    def __init__(self, name: str, group: relative.Groups, wanted: list[relative.Statistic]) -> None:
        self._name, self._group, self._wanted = name, group, wanted
        self._outlying = relative.Outlying.none(group.n_lesions)

    def of_number(self, name: str, values: np.ndarray) -> dict[str, np.ndarray]:
        """Compute the statistics of a number, and count where it is outlying."""
        found = relative.statistics(values, self._group, self._wanted)
        if "z" in found:
            self._outlying.add(found["z"])
        return {f"{name}|{s}|{self._name}": v for s, v in found.items()}

    def of_group(self, given: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Compute what is of no single number, once each number was seen."""
        group = self._group
        found = {"n_lesions": group.spread_out(group.n[group.code])}
        if AREA in given:
            area = np.nan_to_num(given[AREA][group.rows])
            found["total_area"] = group.spread_out(group.total(area)[group.code])
        found |= self._outlying.numbers()
        return {f"{name}|{self._name}": v for name, v in found.items()}
