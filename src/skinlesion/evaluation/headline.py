"""The few figures that stand for all: those of `dvc exp show`, and a line for each set."""

from typing import Any

__all__ = ["figures", "text"]

Details = dict[str, Any]


def figures(details: Details) -> dict[str, dict[str, float]]:
    """Pick what `dvc exp show` displays: few columns, so that a sweep fits a screen.

    Args:
        details: From `measurement.evaluate`.

    Returns:
        pauc with its limits, and auc, of each set.
    """
    found = {}
    for name, measured in details["sets"].items():
        pauc, auc = measured["ranking"]["pauc"], measured["ranking"]["auc"]
        limits = {f"pauc_{k}": pauc[k] for k in ("low", "high") if pauc[k] is not None}
        found[name] = {"pauc": pauc["value"], **limits, "auc": auc["value"]}
    return found


def text(details: Details) -> str:
    """Describe each set in a line: its pAUC and AUC with intervals, and its lesions.

    Args:
        details: From `measurement.evaluate`.
    """
    lines = []
    for name, measured in details["sets"].items():
        said = [
            f"{label} {i['value']:.4f} ({_limit(i['low'])} to {_limit(i['high'])})"
            for label, i in (
                ("pAUC", measured["ranking"]["pauc"]),
                ("AUC", measured["ranking"]["auc"]),
            )
        ]
        lines.append(
            f"{name:8s} {'  '.join(said)}  {measured['n_lesions']:,} lesions of "
            f"{measured['n_patients']:,} patients, {measured['n_positives']:,} positives"
        )
    if "holdout" not in details["sets"]:
        lines.append("no holdout: out-of-fold scores only, which may be a little too good")
    return "\n".join(lines)


def _limit(value: float | None) -> str:
    return "?" if value is None else f"{value:.4f}"
