"""Compare counted lesions with the profile of the training lesions, column by column."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from skinlesion.shift import bins, profile
from skinlesion.shift.bins import Categories
from skinlesion.shift.chance import Chance, Sizes
from skinlesion.shift.tally import Images, Tally

__all__ = ["MUCH", "SOME", "compare", "warning"]

SOME, MUCH = 0.1, 0.25  # the usual reading of a population stability index
LEVEL = 0.001  # how often lesions of the same kind may raise an alarm, over all columns together
N_NAMED = 5  # new categories, the most frequent first
N_WARNED = 3
IMAGE, IMAGE_MEAN = "distance of the image features", "mean of the image features"

Record = dict[str, Any]


def compare(known: profile.Profile, tally: Tally, images: Images | None = None) -> Record:
    """Compare lesions with the training lesions.

    Args:
        known: The profile.
        tally: The lesions, counted by its columns.
        images: Their image features, where the profile has any.

    Returns:
        n_lesions, n_patients; "columns", a record for each, the largest difference first: name,
        psi, by_chance (what two sets of such patients of one kind would show on average), p_value,
        reading ("alike", "some" or "much"), missing and missing_in_training, and of categories
        "new" (with their counts: of no training lesion, or of fewer than five patients) and
        "vanished". "alarms" names those read as "much". A difference has a reading above "alike"
        only where less than LEVEL of sets of the same kind would show as much anywhere.
    """
    here = tally.sizes(known.sizes)
    n_tests = len(tally.counts) + 2 * (images is not None)
    records = [
        _column(name, known.columns[name], tally, known, LEVEL / n_tests) for name in tally.counts
    ]
    if images is not None and images.n_lesions:
        records += _images(images, here, LEVEL / n_tests)
    records.sort(key=lambda r: (-(r["psi"] - r["by_chance"]), r["name"]))
    return {
        "n_lesions": here.n_lesions,
        "n_patients": here.n_patients if tally.patients else None,
        "absent": [name for name in known.columns if name not in tally.counts],
        "n_far_images": images.n_far if images is not None else None,
        "alarms": [r["name"] for r in records if r["reading"] == "much"],
        "columns": records,
    }


def warning(name: str, found: Mapping[str, Any]) -> str:
    """Say in a line, with its end, how lesions differ from training lesions; "" where they do not.

    Args:
        name: Of the set.
        found: From `compare`.
    """
    alarms = [r for r in found["columns"] if r["name"] in found["alarms"]]
    if not alarms:
        return ""
    said = ", ".join(f"{r['name']} (PSI {r['psi']:.2f})" for r in alarms[:N_WARNED])
    more = len(alarms) - N_WARNED
    return (
        f"warning: {name}: unlike the training lesions in {said}"
        f"{f' and {more} more' if more > 0 else ''}: scores may not hold\n"
    )


@dataclass(frozen=True)
class _Difference:
    """A difference between lesions and training lesions, and what chance is measured by."""

    psi: float
    squares: float  # the weighted sum of squared differences
    chance: Chance
    sizes: tuple[Sizes, Sizes]  # of the lesions, of the training lesions


def _column(
    name: str, column: profile.Column, tally: Tally, known: profile.Profile, level: float
) -> Record:
    counts = tally.counts[name]
    n = int(counts.sum())
    whole = tally.sizes(known.sizes)
    # Of a column that was counted for some lesions only, the patients are as crowded as in all.
    here = whole if n == whole.n_lesions else whole.spread_as(n)
    shares, expected = counts / max(1, n), np.array(column.shares)
    n_there = column.sizes.n_lesions
    psi = bins.psi(bins.smoothed(counts), bins.smoothed(expected * n_there))
    squares = bins.squares(shares, expected)
    difference = _Difference(psi, squares, column.chance, (here, column.sizes))
    record = _record(name, difference, level)
    record |= {"missing": _digits(shares[-1]), "missing_in_training": column.missing}
    if isinstance(column, Categories):
        new = sorted(tally.others[name].items(), key=lambda item: (-item[1], item[0]))
        record |= {"new": dict(new[:N_NAMED]), "vanished": _vanished(column, counts, here, level)}
    return record


def _images(images: Images, whole: Sizes, level: float) -> list[Record]:
    of = images.image
    here = whole if images.n_lesions == whole.n_lesions else whole.spread_as(images.n_lesions)
    counts, expected = images.counts, np.array(of.distances.shares)
    psi = bins.psi(bins.smoothed(counts), bins.smoothed(expected * of.sizes.n_lesions))
    squares = bins.squares(counts / images.n_lesions, expected)
    # Of two normal distributions of one covariance, what a PSI is of bins is the squared
    # Mahalanobis distance of their means.
    apart = float(((images.total / images.n_lesions) ** 2).sum())
    both = (here, of.sizes)
    return [
        _record(IMAGE, _Difference(psi, squares, of.distances.chance, both), level),
        _record(IMAGE_MEAN, _Difference(apart, apart, of.chance, both), level),
    ]


def _record(name: str, of: _Difference, level: float) -> Record:
    by_chance = of.chance.expected(*of.sizes)
    p_value = of.chance.p_value(of.squares, *of.sizes)
    excess = of.psi - by_chance if p_value < level else 0.0
    reading = "much" if excess >= MUCH else "some" if excess >= SOME else "alike"
    numbers = {"psi": of.psi, "by_chance": by_chance, "p_value": p_value}
    return {"name": name, **{k: _digits(v) for k, v in numbers.items()}, "reading": reading}


def _vanished(column: Categories, counts: np.ndarray, here: Sizes, level: float) -> list[str]:
    """Categories that none has, though so many patients would hardly all lack them."""
    n_patients = 1 / here.crowding
    return [
        name
        for name, share, n in zip(column.names, column.patients, counts, strict=False)
        if n == 0 and (1 - share) ** n_patients < level
    ]


def _digits(value: float) -> float:
    return float(f"{value:.4g}")
