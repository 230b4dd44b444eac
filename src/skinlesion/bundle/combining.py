"""From the members' logits to one probability, and the rank among the patient's lesions."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from skinlesion.evaluation.calibration import Calibrator, logits
from skinlesion.evaluation.combination import Combination
from skinlesion.scoring import scale

__all__ = ["COLUMNS", "Combined", "Given", "finished", "gathered"]

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


@dataclass(frozen=True)
class Given:
    """What the members give of some lesions."""

    logits: Mapping[str, np.ndarray]  # by member, shape (n_lesions,); NaN: the tile is unreadable
    spreads: Mapping[str, np.ndarray]  # by column of SPREADS, shape (n_lesions,)
    reasons: list[str]  # "", or why the tile cannot be read
    shift: list[str]  # "", or what lies far outside the training data
    varying: Collection[str] = ()  # columns of SPREADS in which its networks differ


def gathered(lesions: pd.DataFrame, given: Given, combined: Combined) -> pd.DataFrame:
    """Put what the members give of lesions side by side.

    Args:
        lesions: isic_id and maybe patient_id.
        given: Of these lesions.
        combined: Of the bundle.

    Returns:
        isic_id, patient_id, a logit per member, uncertainty (as `Combination.uncertainty`), shift
        and reason.
    """
    patients = lesions.get("patient_id")
    found = pd.DataFrame({"isic_id": lesions["isic_id"], "patient_id": patients})
    spreads = pd.DataFrame(dict(given.spreads), index=found.index)
    uncertainty = combined.combination.uncertainty(spreads, varying=given.varying)
    return found.assign(
        **given.logits, uncertainty=uncertainty, shift=given.shift, reason=given.reasons
    )


def finished(scored: pd.DataFrame, combined: Combined) -> pd.DataFrame:
    """Combine and calibrate, and rank each patient's lesions.

    A lesion whose tile cannot be read gets the median of the networks' logits of the others.

    Args:
        scored: From `gathered`: all lesions of some patients, of one or several parts.
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
