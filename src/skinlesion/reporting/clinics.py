"""What the part "In another clinic" of the page is laid out by."""

from skinlesion.evaluation.bootstrap import Interval
from skinlesion.reporting.details import Clinics

__all__ = ["change", "intervals"]


def intervals(found: Clinics | None) -> dict[str, list[Interval]]:
    """List the intervals that share an axis.

    Args:
        found: What was measured of clinics; None where folds are not of clinics.

    Returns:
        Under "auc" those of the clinics left out, under "difference" those to patient folds.
    """
    rows = found.rows if found else []
    return {
        "auc": [row.left_out["auc"] for row in rows],
        "difference": [row.difference["auc"] for row in rows if row.difference],
    }


def change(difference: Interval) -> str:
    """Put the interval of a difference, a new clinic less a known one, into words.

    Args:
        difference: Higher is better.
    """
    low, high = difference["low"], difference["high"]
    if low is None or high is None or low <= 0 <= high:
        return "no difference shown"
    return "the new clinic is worse" if high < 0 else "the new clinic is better"
