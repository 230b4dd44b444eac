"""The training set: lesions whose target is known, scored by models that have not seen them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from skinlesion.dataset import partition
from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.errors import InputError
from skinlesion.network import trained
from skinlesion.scoring import image_features, lesions, predict, scale, spread

__all__ = ["score", "score_fold", "write"]


def score(
    models: Mapping[FoldSeed, trained.Trained],
    folds: pd.DataFrame,
    source: lesions.Source,
    p: predict.Params,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score the holdout, and each lesion outside it by the models that did not see it.

    Args:
        models: By fold and seed; the holdout gets the mean of all. Image features are those of the
            first.
        folds: isic_id, patient_id, target and fold, from stage `split`.
        source: The training lesions; each tile must be readable.
        p: The block `predict`.

    Returns:
        Two tables as from `score_fold`: the holdout, and the out-of-fold lesions.

    Raises:
        InputError: As for `score_fold`.
    """
    parts = dict(tuple(folds.groupby("fold")))
    none, first = folds[:0], min(models)
    held_out = parts.get(partition.HOLDOUT, none)
    selection = lesions.Selection("holdout", features_of=first)
    holdout = score_fold(models, held_out, source, p, selection)
    of_folds = []
    for fold in sorted({one.fold for one in models}):
        unseen = {one: m for one, m in models.items() if one.fold == fold}
        selection = lesions.Selection(f"fold {fold}", features_of=first)
        of_folds.append(score_fold(unseen, parts.get(fold, none), source, p, selection))
    return holdout, pd.concat(of_folds)


def score_fold(
    models: Mapping[FoldSeed, trained.Trained],
    folds: pd.DataFrame,
    source: lesions.Source,
    p: predict.Params,
    selection: lesions.Selection,
) -> pd.DataFrame:
    """Score lesions whose target is known, none of which their models have seen.

    Args:
        models: Averaged.
        folds: isic_id, patient_id, target and fold of the lesions to score.
        source: The training lesions; each tile must be readable.
        p: The block `predict`.
        selection: The name of the progress bar, and whose image features are wanted.

    Returns:
        The columns of `folds`, and score, in the order of the metadata; then its spreads and
        image features, as from `ensemble.score`.

    Raises:
        InputError: As for `predict.score`; or a lesion of `folds` is not in the metadata.
    """
    known = folds.set_index("isic_id")
    strict = p.model_copy(update={"strict": True})
    chosen = replace(selection, n_lesions=len(folds), isic_ids=known.index)
    empty = pd.DataFrame(columns=["isic_id", "logit", *spread.COLUMNS])
    scored = pd.concat([empty, *predict.score(models, source, strict, chosen)])
    if len(scored) != len(folds):
        raise InputError(
            f"{source.metadata} must hold the {len(folds):,} lesions of the split. "
            f"Got {len(scored):,} of them."
        )
    table = known.loc[scored["isic_id"]].reset_index()
    table["score"] = scale.probability(scored["logit"].to_numpy(np.float64))
    beside = scored.drop(columns=["isic_id", "logit", "reason"], errors="ignore")
    return pd.concat([table, beside.reset_index(drop=True)], axis=1)


def write(holdout: pd.DataFrame, oof: pd.DataFrame, out: Path) -> None:
    """Write scores, holdout.csv and oof.csv; their spread; and image features.

    Args:
        holdout: From `score`.
        oof: From `score`. Image features are those of the lesions of the first fold.
        out: The folder to write into.
    """
    for name, scored in (("holdout", holdout), ("oof", oof)):
        spread.write(scored, out / f"network-{name}.csv")
        features = image_features.columns(scored)
        own = scored.loc[scored["fold"] == scored["fold"].min(), features]
        np.save(out / f"image-{name}.npy", own.to_numpy(np.float32))
        plain = scored.drop(columns=[*spread.COLUMNS, *features])
        plain.to_csv(out / f"{name}.csv", index=False)
