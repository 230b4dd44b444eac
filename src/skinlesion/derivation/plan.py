"""Which numbers are derived: what the params ask for and the tables can give."""

from collections.abc import Collection
from pathlib import Path
from typing import Literal

import pandas as pd
from pydantic import Field

from skinlesion.dataset.metadata import TRAIN_ONLY
from skinlesion.derivation import derived, relative, tile_colour, tile_shape
from skinlesion.errors import InputError
from skinlesion.params import Block, load_json, nearest

__all__ = [
    "CATEGORICAL",
    "OUTLYING",
    "TOTAL_AREA",
    "Params",
    "Plan",
    "Relative",
    "load",
    "make",
    "summary",
]

AREA = "tbp_lv_areaMM2"
CATEGORICAL = ("sex", "anatom_site_general", "tbp_lv_location")
OF_A_NUMBER = ("z", "rank", "position")  # the statistics that each number has
TOTAL_AREA = "total_area"
OUTLYING = ("n_outlying", "largest_z", "sd_of_z")
TILE = {"colour": tile_colour.NAMES, "shape": tile_shape.NAMES}
Names = Literal["all"] | list[str]


class Relative(Block):
    """What numbers are relative to, and by which statistics; an empty list: not at all."""

    patient: list[relative.Statistic]
    patient_site: list[relative.Statistic]
    patient_location: list[relative.Statistic]


class Params(Block):
    """Block `derive`: which numbers are made of a lesion's row, its tile and its patient."""

    base: Names
    derived: Names
    tile: list[Literal["colour", "shape"]]
    categorical: Names
    relative: Relative
    min_lesions: int = Field(ge=2)


class Plan(Block):
    """The numbers by where they come from, in the order of the columns of features.parquet."""

    base: list[str]
    derived: list[str]
    tile: list[str]
    relative: list[str]
    categorical: list[str]
    left_out: list[str]  # what the tables cannot give

    @property
    def numbers(self) -> list[str]:
        """What is known of a lesion by itself."""
        return [*self.base, *self.derived, *self.tile]


def make(p: Params, train: pd.DataFrame, test: pd.DataFrame, *, has_tiles: bool = True) -> Plan:
    """Choose the numbers that can be computed.

    Args:
        p: The block `derive`.
        train: The training metadata. A column without any value counts as absent.
        test: The test metadata. What one of the tables lacks is of no use to a model of both;
            but without patient_id its lesions are scored one by one.
        has_tiles: Whether there are tiles to measure.

    Raises:
        InputError: The params name a number that is unknown, or that cannot be computed.
    """
    filled = {str(c) for c in train if train[c].notna().any()}
    present = filled & set(test)
    formulas = {f.name: f.needs for f in derived.FORMULAS}
    columns = {name: [name] for name in derived.BASE}
    base = _chosen("base", p.base, columns, present)
    made = _chosen("derived", p.derived, formulas, present)
    kinds = _categories(p.categorical, present)
    tile = [name for kind in p.tile for name in TILE[kind]] if has_tiles else []
    context = _relative(p.relative, [*base, *made, *tile], filled, present)
    wanted = [*_names(p.base, columns), *_names(p.derived, formulas)]
    wanted += _names(p.categorical, CATEGORICAL)
    lacking = [name for name in wanted if name not in {*base, *made, *kinds}]
    lacking += [] if has_tiles else [f"{kind} of the tile" for kind in p.tile]
    return Plan(
        base=base, derived=made, tile=tile, relative=context, categorical=kinds, left_out=lacking
    )


def load(folder: Path) -> Plan:
    """Read which numbers stage `derive` wrote.

    Args:
        folder: That of train.parquet, test.parquet and plan.json.

    Raises:
        InputError: The file is absent or malformed.
    """
    path = folder / "plan.json"
    return load_json(path, Plan, "the plan of stage derive")


def summary(plan: Plan) -> str:
    """Say in a line or two how many numbers there are, and which are left out.

    Args:
        plan: From `make`.
    """
    counts = (
        f"{len(plan.base)} base, {len(plan.derived)} derived, {len(plan.tile)} of the tile, "
        f"{len(plan.relative)} relative to the patient, {len(plan.categorical)} categories"
    )
    if not plan.left_out:
        return counts
    return f"{counts}\nleft out, since a table cannot give them: {', '.join(plan.left_out)}"


def _names(given: Names, every: Collection[str]) -> list[str]:
    return list(every) if given == "all" else list(given)


def _chosen(
    key: str, given: Names, needs: dict[str, list[str]], present: Collection[str]
) -> list[str]:
    if given == "all":
        return [name for name, columns in needs.items() if set(columns) <= set(present)]
    for name in given:
        if name not in needs:
            raise InputError(f"derive.{key}: {name!r} is no such number.{nearest(name, needs)}")
        lacking = [c for c in needs[name] if c not in present]
        if lacking:
            raise InputError(
                f"derive.{key}: {name!r} must be computable from both tables. "
                f"They have no values of {', '.join(lacking)}; derive.{key}: all leaves it out."
            )
    return list(dict.fromkeys(given))


def _categories(given: Names, present: Collection[str]) -> list[str]:
    for name in given if given != "all" else []:
        if name in TRAIN_ONLY or name in ("isic_id", "patient_id"):
            raise InputError(f"derive.categorical: {name!r} must be known of a test lesion.")
        if name not in present:
            near = nearest(name, present)
            raise InputError(f"derive.categorical: {name!r} must be in both tables.{near}")
    return [name for name in dict.fromkeys(_names(given, CATEGORICAL)) if name in present]


def _relative(
    p: Relative, numbers: list[str], filled: Collection[str], present: Collection[str]
) -> list[str]:
    found: list[str] = []
    for name, columns in relative.GROUPS.items():
        wanted = getattr(p, name)
        if not set(columns) <= set(filled):
            continue
        found += [f"{n}|{s}|{name}" for s in OF_A_NUMBER if s in wanted for n in numbers]
        found += [f"n_lesions|{name}"] * ("count" in wanted)
        found += [f"{TOTAL_AREA}|{name}"] * ("area" in wanted and AREA in present)
        found += [f"{o}|{name}" for o in OUTLYING if "outlying" in wanted and numbers]
    return found
