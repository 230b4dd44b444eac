"""Compare the score that is used with each member's, and with that of each lesion alone."""

from typing import Any

import pandas as pd

from skinlesion.evaluation import bootstrap, comparison, operating
from skinlesion.evaluation.bootstrap import Interval, Resamples

__all__ = ["LABELS", "measures"]

# The columns of stage `calibrate`, in the order shown. The last is no member.
LABELS = {
    "score_alone": "All members, each lesion alone",
    "member_network": "Network",
    "member_table": "Table expert, beside the patient's other lesions",
    "member_table_alone": "Table expert, each lesion alone",
    "member_colour": "For comparison: 21 colour statistics of the tile, logistic regression",
}
BESIDE, ALONE = "member_table", "member_table_alone"


def measures(
    lesions: pd.DataFrame, sampling: bootstrap.Params, resamples: Resamples, *, k: int
) -> dict[str, Any]:
    """Measure each further score, and how far ahead of it the one in use is.

    Args:
        lesions: isic_id, patient_id, target, score and those columns of LABELS that there are.
        sampling: The block `measure`.
        resamples: Of the patients, the same for all.
        k: How many lesions of a patient are looked at.

    Returns:
        "rows": for each column column, label, pauc, auc, top_k_sensitivity, and under
        "difference" the same of score less the column. "context": the three intervals of the
        table expert beside the patient's other lesions less that of each lesion alone; None where
        the two do not differ.
    """
    rows = []
    for column, label in LABELS.items():
        if column in lesions and not lesions[column].isna().any():
            other = lesions.assign(score=lesions[column])
            own, difference = _compared(other, lesions, sampling, resamples, k)
            rows.append({"column": column, "label": label, **own, "difference": difference})
    both = {row["column"] for row in rows} >= {BESIDE, ALONE}
    context = None
    if both and not (lesions[BESIDE] == lesions[ALONE]).all():
        alone, beside = (lesions.assign(score=lesions[c]) for c in (ALONE, BESIDE))
        _, context = _compared(alone, beside, sampling, resamples, k)
    return {"rows": rows, "context": context}


def _compared(
    first: pd.DataFrame,
    second: pd.DataFrame,
    sampling: bootstrap.Params,
    resamples: Resamples,
    k: int,
) -> tuple[dict[str, Interval], dict[str, Interval]]:
    """The measures of the first, and those of the second less the first."""
    areas = comparison.paired(first, second, sampling, resamples=resamples)
    one, other = (operating.retrieved(t, resamples, k=k) for t in (first, second))
    own = {name: found["first"] for name, found in areas.items()}
    off = {name: found["difference"] for name, found in areas.items()}
    name = "top_k_sensitivity"
    n_patients = first.loc[first["target"] == 1, "patient_id"].nunique()
    own[name] = bootstrap.share(one, sampling.confidence, n_patients=n_patients)
    off[name] = bootstrap.interval(other - one, sampling.confidence)
    return own, off
