"""Models cut in two behind their image branch, which is dear: run once, it serves many questions.

To permute tiles among lesions is to permute the pooled features that the branch makes of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import keras
import numpy as np
import pandas as pd
from tqdm import tqdm

from skinlesion.dataset import batches, partition, stores
from skinlesion.errors import InputError
from skinlesion.features import tabular
from skinlesion.network import trained

__all__ = ["TILE", "Halves", "Member", "cut", "logits", "read"]

TILE = "tile"  # beside the names of the tabular features
N_ROWS = 4096  # of features that go through a network at a time


@dataclass(frozen=True)
class Halves:
    """A model, cut in two behind its image branch. The halves share its weights."""

    model: trained.Trained
    image_branch: keras.Model | None  # from tiles to pooled features
    rest: keras.Model  # from the list of pooled and tabular features, whichever exist, to the logit

    def pooled(self, tiles: np.ndarray) -> np.ndarray:
        """Run the image branch.

        Args:
            tiles: Shape (n, px, px, 3), uint8. Always the same n, or it is compiled again.

        Returns:
            Shape (n, n_pooled), float32; n_pooled is 0 without an image branch.
        """
        if self.image_branch is None:
            return np.empty((len(tiles), 0), np.float32)
        return np.asarray(self.image_branch.predict_on_batch(tiles), np.float32)

    def logits(self, pooled: np.ndarray, encoded: np.ndarray) -> np.ndarray:
        """Run the network from the pooled features on.

        Args:
            pooled: Shape (n, n_pooled), of n lesions.
            encoded: Shape (n, n_features), the tabular features.

        Returns:
            Shape (n,), float64, on the true prior.
        """
        given = [features for features in (pooled, encoded) if features.shape[1]]
        found = [
            # Not compiled: to trace a few dense layers takes longer than to run them.
            keras.ops.convert_to_numpy(
                self.rest([features[i : i + N_ROWS] for features in given], training=False)
            )
            for i in range(0, len(pooled), N_ROWS)
        ]
        return np.concatenate(found)[:, 0].astype(np.float64) - self.model.facts.prior_shift


@dataclass(frozen=True)
class Member:
    """A model, and what it reads of the lesions that it scores."""

    halves: Halves
    rows: np.ndarray  # shape (n_rows,), rising: which of all the lesions they are
    weight: float  # of its logits in the mean of the models
    lesions: batches.Lesions  # those of `rows`
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
            columns = _columns(self.halves.model.encoder, feature)
            encoded = encoded.copy()
            encoded[:, columns] = encoded[np.ix_(order, columns)]
        return self.halves.logits(pooled, encoded)


def cut(m: trained.Trained) -> Halves:
    """Cut a model in two behind its image branch.

    Args:
        m: The model.
    """
    inputs = dict(m.logits.input)
    if "image" not in inputs:
        return Halves(m, None, keras.Model(list(inputs.values()), m.logits.output))
    tiles, pooled = inputs.pop("image"), m.logits.get_layer("image_pool").output
    rest = keras.Model([pooled, *inputs.values()], m.logits.output)
    return Halves(m, keras.Model(tiles, pooled), rest)


def read(
    models: Mapping[int, Halves],
    lesions: pd.DataFrame,
    table: pd.DataFrame,
    store: stores.Store,
    *,
    batch_size: int,
) -> list[Member]:
    """Let each model read the lesions that it scores, and run its image branch over them once.

    Args:
        models: By fold, each from `cut`.
        lesions: isic_id and fold. The holdout is scored by all models, each other fold by its
            own, which did not see it.
        table: The metadata of these lesions and maybe of others: isic_id and the features.
        store: The tiles; each must be readable.
        batch_size: Tiles per step.

    Returns:
        A member per model and fold that it scores.

    Raises:
        InputError: A fold has no model, a lesion is not in the table or twice, a feature is
            absent or holds a bad value, or a tile cannot be read.
    """
    features, members = _looked_up(lesions["isic_id"], table), []
    scorers = list(_scorers(lesions["fold"], models))
    total = sum(len(rows) for model, rows, _ in scorers if model.image_branch is not None)
    with tqdm(total=total, desc="tiles", unit="tile", mininterval=1, disable=not total) as bar:
        for model, rows, weight in scorers:
            given = _given(model, features.iloc[rows], store)
            pooled = _pooled(model, given, batch_size, bar)
            members.append(Member(model, rows, weight, given, pooled))
    return members


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
    folds: pd.Series, models: Mapping[int, Halves]
) -> Iterator[tuple[Halves, np.ndarray, float]]:
    """Yield models, the rows of the lesions that each scores, and its share of their score."""
    for fold in sorted(folds.unique()):
        chosen = list(models) if fold == partition.HOLDOUT else [fold]
        if not models.keys() >= set(chosen):
            raise InputError(f"the scored lesions must be of folds with a model. Got fold {fold}.")
        for k in chosen:
            yield models[k], np.flatnonzero(folds == fold), 1 / len(chosen)


def _given(halves: Halves, features: pd.DataFrame, store: stores.Store) -> batches.Lesions:
    return batches.Lesions(
        features["isic_id"].to_numpy(),
        tabular.transform(features, halves.model.encoder),
        store if halves.image_branch is not None else None,
        halves.model.architecture.model.image_px,
    )


def _pooled(halves: Halves, lesions: batches.Lesions, batch_size: int, bar: tqdm) -> np.ndarray:
    if halves.image_branch is None:
        return np.empty((len(lesions), 0), np.float32)
    found = []
    for inputs, unread in batches.scoring(lesions, batch_size=batch_size):
        found.append(halves.pooled(inputs["image"])[: len(unread)])
        bar.update(len(unread))
    return np.concatenate(found)


def _columns(encoder: tabular.Encoder, feature: str) -> np.ndarray:
    """Which of the encoded columns a feature has; none where it is not encoded."""
    widths = {name: 1 + number.indicator for name, number in encoder.numeric.items()}
    widths |= {name: len(c.values) + 2 for name, c in encoder.categorical.items()}
    owners = [name for name, width in widths.items() for _ in range(width)]
    return np.flatnonzero([owner == feature for owner in owners])
