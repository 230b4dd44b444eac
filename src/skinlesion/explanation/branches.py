"""What models read of lesions: the image branch runs once, and serves many permutations.

To permute tiles among lesions is to permute the pooled features that the branch makes of them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from tqdm import tqdm

from skinlesion.dataset import batches, partition, stores
from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.errors import InputError
from skinlesion.explanation.cutting import CutModel
from skinlesion.features import tabular
from skinlesion.scoring import executor

__all__ = ["TILE", "Member", "Piece", "logits", "pool", "read"]

TILE = "tile"  # beside the names of the tabular features


@dataclass(frozen=True)
class Member:
    """A model, and what it reads of the lesions that it scores."""

    model: CutModel
    name: FoldSeed  # of the model
    rows: np.ndarray  # shape (n_rows,), rising: which of all the lesions they are
    weight: float  # of its logits in the mean of the models
    lesions: batches.Lesions  # those of `rows`; the store is the executor's
    pooled: np.ndarray  # shape (n_rows, n_pooled), float32

    def permuted(self, feature: str, order: np.ndarray) -> np.ndarray:
        """Compute the logits of its lesions, one of whose features is that of others.

        Args:
            feature: TILE, or a column of the metadata; one that it does not read has no effect.
            order: Shape (n_rows,), whose feature each lesion gets.

        Returns:
            Shape (n_rows,), on the true prior.
        """
        pooled, encoded = self.pooled, self.lesions.tabular
        if feature == TILE:
            pooled = pooled[order]
        else:
            columns = _columns(self.model.whole.encoder, feature)
            encoded = encoded.copy()
            encoded[:, columns] = encoded[np.ix_(order, columns)]
        return self.model.logits(pooled, encoded)


@dataclass(frozen=True)
class Piece:
    """Lesions to run the image branch of a model over."""

    model: FoldSeed
    lesions: batches.Lesions  # without a store
    batch_size: int


def read(
    models: Mapping[FoldSeed, CutModel],
    lesions: pd.DataFrame,
    table: pd.DataFrame,
    run: executor.Executor,
    *,
    batch_size: int,
) -> list[Member]:
    """Let each model read the lesions that it scores, and run its image branch over them once.

    Args:
        models: By fold and seed, each from `cutting.cut`.
        lesions: isic_id and fold. The holdout is scored by all models, each other fold by its
            own, which did not see it.
        table: The metadata of these lesions and maybe of others: isic_id and the features.
        run: Has the same models, and the tiles, each of which must be readable.
        batch_size: Tiles per step.

    Returns:
        A member per model and fold that it scores.

    Raises:
        InputError: A fold has no model, a lesion is not in the table or twice, a feature is
            absent or holds a bad value, or a tile cannot be read.
    """
    features, members = _looked_up(lesions["isic_id"], table), []
    for one, rows, weight in _scorers(lesions["fold"], models):
        given, nothing = _given(models[one], features.iloc[rows]), np.empty((len(rows), 0), "f4")
        members.append(Member(models[one], one, rows, weight, given, nothing))
    return _with_pooled(members, run, batch_size)


def pool(
    models: Mapping[FoldSeed, CutModel],
    store: stores.Store,
    piece: Piece,
    on_batch: Callable[[int], object],
) -> np.ndarray:
    """Run the image branch of a model over lesions.

    Args:
        models: By fold and seed, each from `cutting.cut`; that of the piece has an image branch.
        store: The tiles.
        piece: The lesions.
        on_batch: Called after each batch with its number of lesions.

    Returns:
        Shape (n_lesions, n_pooled), float32.

    Raises:
        images.ImageError: A tile cannot be read.
    """
    found, lesions = [], replace(piece.lesions, store=store)
    for inputs, unread in batches.scoring(lesions, batch_size=piece.batch_size):
        found.append(models[piece.model].pooled(inputs["image"])[: len(unread)])
        on_batch(len(unread))
    return np.concatenate(found)


def logits(members: list[Member], feature: str, order: np.ndarray) -> np.ndarray:
    """Compute the mean logit of the lesions, one of whose features is that of others.

    Args:
        members: From `read`.
        feature: TILE, or a column of the metadata.
        order: Shape (n_lesions,), whose feature each lesion gets: one of the same fold.

    Returns:
        Shape (n_lesions,), on the true prior.
    """
    total = np.zeros(len(order))
    for m in members:
        total[m.rows] += m.weight * m.permuted(feature, np.searchsorted(m.rows, order[m.rows]))
    return total


def _looked_up(isic_ids: pd.Series, table: pd.DataFrame) -> pd.DataFrame:
    found = table[table["isic_id"].isin(isic_ids)]
    counts = found["isic_id"].value_counts().reindex(isic_ids, fill_value=0)
    if (counts != 1).any():
        wrong = counts[counts != 1]
        raise InputError(
            f"the metadata must hold each scored lesion once. Got {wrong.index[0]} "
            f"{wrong.iloc[0]} times ({len(wrong):,} such lesions)."
        )
    return found.set_index("isic_id", drop=False).loc[isic_ids]


def _scorers(
    folds: pd.Series, models: Mapping[FoldSeed, CutModel]
) -> Iterator[tuple[FoldSeed, np.ndarray, float]]:
    """Yield models, the rows of the lesions that each scores, and its weight in their score."""
    for fold in sorted(folds.unique()):
        chosen = [one for one in models if fold in (one.fold, partition.HOLDOUT)]
        if not chosen:
            raise InputError(f"the scored lesions must be of folds with a model. Got fold {fold}.")
        for k in chosen:
            yield k, np.flatnonzero(folds == fold), 1 / len(chosen)


def _given(model: CutModel, features: pd.DataFrame) -> batches.Lesions:
    return batches.Lesions(
        features["isic_id"].to_numpy(),
        tabular.transform(features, model.whole.encoder),
        None,
        model.whole.architecture.model.image_px,
    )


def _with_pooled(members: list[Member], run: executor.Executor, batch_size: int) -> list[Member]:
    """Run the image branches; of models without one, the pooled features stay empty."""
    seeing = [i for i, m in enumerate(members) if m.model.image_branch is not None]
    total = sum(len(members[i].rows) for i in seeing)
    n = executor.piece_size(total, batch_size, run.min_pieces)
    of_member = [(i, piece) for i in seeing for piece in _pieces(members[i], n, batch_size)]
    found: dict[int, list[np.ndarray]] = {i: [] for i in seeing}
    with tqdm(total=total, desc="tiles", unit="tile", mininterval=1, disable=not total) as bar:
        results = run.map(pool, (piece for _, piece in of_member), bar.update)
        for (i, _), pooled in zip(of_member, results, strict=True):
            found[i].append(pooled)
    return [
        replace(m, pooled=np.concatenate(found[i])) if i in found else m
        for i, m in enumerate(members)
    ]


def _pieces(m: Member, n: int, batch_size: int) -> Iterator[Piece]:
    for i in range(0, len(m.rows), n):
        yield Piece(
            m.name, batches.select(m.lesions, np.arange(len(m.rows))[i : i + n]), batch_size
        )


def _columns(encoder: tabular.Encoder, feature: str) -> np.ndarray:
    """Which of the encoded columns a feature has; none where it is not encoded."""
    widths = {name: 1 + number.indicator for name, number in encoder.numeric.items()}
    widths |= {name: len(c.values) + 2 for name, c in encoder.categorical.items()}
    owners = [name for name, width in widths.items() for _ in range(width)]
    return np.flatnonzero([owner == feature for owner in owners])
