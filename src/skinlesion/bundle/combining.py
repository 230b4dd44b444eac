"""From the members' logits to one probability, and the rank among the patient's lesions."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from skinlesion.evaluation.calibration import Calibrator, logits
from skinlesion.evaluation.combination import Combination
from skinlesion.scoring import scale

__all__ = ["COLUMNS", "Combined", "averaged", "finished"]

MEMBERS = ("network", "table")
COLUMNS = [
    *("isic_id", "patient_id", "probability", "logit", "rank", "n_lesions"),
    *(*MEMBERS, "uncertainty", "shift", "reason"),
]


@dataclass(frozen=True)
class Combined:
    """What makes one probability of the members' scores."""

    combination: Combination
    calibrator: Calibrator
    unreadable_logit: float  # of the networks, where no tile at all can be read

    def logit(self, members: pd.DataFrame) -> np.ndarray:
        """Combine scores.

        Args:
            members: Columns of logits, as the members are called.

        Returns:
            Shape (n_lesions,), before calibration.
        """
        scores = {name: scale.probability(z.to_numpy()) for name, z in members.items()}
        return logits(self.combination.score(pd.DataFrame(scores)))


def averaged(
    lesions: pd.DataFrame,
    by_member: Mapping[str, np.ndarray],
    reasons: list[str],
    combined: Combined,
) -> pd.DataFrame:
    """Average each member over its folds.

    Args:
        lesions: isic_id and maybe patient_id.
        by_member: Logits, shape (n_folds, n_lesions), by member.
        reasons: Why tiles cannot be read.
        combined: Of the bundle.

    Returns:
        isic_id, patient_id, a mean logit per member (NaN where its tile is unreadable),
        uncertainty, shift and reason.
    """
    patients = lesions.get("patient_id")
    found = pd.DataFrame({"isic_id": lesions["isic_id"], "patient_id": patients})
    for name, each in by_member.items():
        found[name] = each.mean(0)
    found["uncertainty"] = _spread(by_member, combined)
    return found.assign(shift="", reason=reasons)


def finished(scored: pd.DataFrame, combined: Combined) -> pd.DataFrame:
    """Combine and calibrate, and rank each patient's lesions.

    A lesion whose tile cannot be read gets the median of the networks' logits of the others.

    Args:
        scored: From `averaged`: all lesions of some patients, of one or several parts.
        combined: Of the bundle.

    Returns:
        The columns COLUMNS, in the order given.
    """
    members = scored[[name for name in MEMBERS if name in scored]].copy()
    known = members["network"].dropna()
    middle = known.median() if len(known) else combined.unreadable_logit
    members["network"] = members["network"].fillna(middle)
    logit = combined.logit(members)
    found = scored.assign(
        logit=logit,
        probability=combined.calibrator.probability(scale.probability(logit)),
        **{str(name): scale.probability(z.to_numpy()) for name, z in members.items()},
    )
    code = pd.factorize(scored["patient_id"])[0]
    alone = code < 0
    code = np.where(alone, code.max(initial=0) + 1 + np.arange(len(code)), code)
    groups = pd.Series(-logit).groupby(code)
    found["rank"] = groups.rank(method="min").astype(int).to_numpy()
    found["n_lesions"] = groups.transform("size").to_numpy()
    return found.reindex(columns=COLUMNS)


def _spread(by_member: Mapping[str, np.ndarray], combined: Combined) -> np.ndarray:
    n_folds = max(len(each) for each in by_member.values())
    n = next(iter(by_member.values())).shape[1]
    if n_folds < 2:
        return np.full(n, np.nan)
    of_folds = [
        combined.logit(pd.DataFrame({k: _of_fold(each, i) for k, each in by_member.items()}))
        for i in range(n_folds)
    ]
    return np.asarray(np.std(of_folds, axis=0, ddof=1))


def _of_fold(each: np.ndarray, i: int) -> np.ndarray:
    """Take a fold's logits; the mean where not every fold has this member."""
    return np.asarray(each[i] if i < len(each) else each.mean(0))
