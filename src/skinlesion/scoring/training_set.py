"""The training set: lesions whose target is known, scored by models that have not seen them."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from skinlesion.dataset import partition
from skinlesion.errors import InputError
from skinlesion.network import trained
from skinlesion.scoring import lesions, predict, scale

__all__ = ["score", "score_fold"]


def score(
    models: Mapping[int, trained.Trained],
    folds: pd.DataFrame,
    source: lesions.Source,
    p: predict.Params,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score the holdout, and each lesion outside it by the model that did not see it.

    Args:
        models: By fold; the holdout gets the mean of all.
        folds: isic_id, patient_id, target and fold, from stage `split`.
        source: The training lesions; each tile must be readable.
        p: The block `predict`.

    Returns:
        Two tables as from `score_fold`: the holdout, and the out-of-fold lesions.

    Raises:
        InputError: As for `score_fold`.
    """
    parts = dict(tuple(folds.groupby("fold")))
    none = folds[:0]
    held_out = parts.get(partition.HOLDOUT, none)
    holdout = score_fold(models, held_out, source, p, name="holdout")
    of_folds = [
        score_fold({fold: m}, parts.get(fold, none), source, p, name=f"fold {fold}")
        for fold, m in models.items()
    ]
    return holdout, pd.concat(of_folds)


def score_fold(
    models: Mapping[int, trained.Trained],
    folds: pd.DataFrame,
    source: lesions.Source,
    p: predict.Params,
    *,
    name: str,
) -> pd.DataFrame:
    """Score lesions whose target is known, none of which their models have seen.

    Args:
        models: By fold; averaged.
        folds: isic_id, patient_id, target and fold of the lesions to score.
        source: The training lesions; each tile must be readable.
        p: The block `predict`.
        name: Of the progress bar.

    Returns:
        The columns of `folds`, and score, in the order of the metadata.

    Raises:
        InputError: As for `predict.score`; or a lesion of `folds` is not in the metadata.
    """
    known = folds.set_index("isic_id")
    strict = p.model_copy(update={"strict": True})
    pieces = predict.score(models, source, strict, lesions.Selection(name, len(folds), known.index))
    scored = pd.concat([pd.DataFrame(columns=["isic_id", "logit"]), *pieces])
    if len(scored) != len(folds):
        raise InputError(
            f"{source.metadata} must hold the {len(folds):,} lesions of the split. "
            f"Got {len(scored):,} of them."
        )
    table = known.loc[scored["isic_id"]].reset_index()
    table["score"] = scale.probability(scored["logit"].to_numpy(np.float64))
    return table
