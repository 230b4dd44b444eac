"""Score each fold by what the others say: members combined, calibrated and flagged without it."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from skinlesion.evaluation import calibration, operating, stacking

__all__ = ["by_others"]

MEMBER = "member_"  # what stage `calibrate` puts before the name of a member's column


def by_others(oof: pd.DataFrame, p: stacking.Params, *, specificity: float) -> pd.DataFrame:
    """Combine, calibrate and flag the lesions of each fold as fitted in the other folds.

    Args:
        oof: isic_id, patient_id, target, fold, and the members' scores as member_...; or score,
            where there is none. Each score is of a model that did not learn from the fold. Two
            folds or more, of which the others always have both classes.
        p: The block `calibrate`.
        specificity: Of the threshold, as reached in the other folds, in (0, 1).

    Returns:
        The same lesions in the same order, with score, probability (the score itself where the
        others give no calibrator), and flagged.
    """
    return pd.concat(_folds(oof, p, specificity)).loc[oof.index]


def _folds(oof: pd.DataFrame, p: stacking.Params, specificity: float) -> Iterator[pd.DataFrame]:
    named: dict[str, str] = {f"{MEMBER}{name}": name for name in p.members}
    members = [name for column, name in named.items() if column in oof] or ["score"]
    oof = oof.rename(columns=named)
    for fold in np.unique(oof["fold"]):
        own, others = oof[oof["fold"] == fold], oof[oof["fold"] != fold]
        combined = stacking.fit(others, members, p)
        others = others.assign(score=combined.score(others))
        chosen = operating.threshold(
            others["target"], others["score"], criterion="specificity", level=specificity
        )
        score = combined.score(own)
        probability = calibration.fit(others, p).probability(score)
        yield own.assign(score=score, probability=probability, flagged=score >= chosen)
