"""Score any number of lesions in bounded memory, in this process or on a cluster."""

from collections.abc import Iterator, Mapping
from typing import Literal

import pandas as pd
from pydantic import Field
from tqdm import tqdm

from skinlesion.dataset import views
from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.network import trained
from skinlesion.params import Block
from skinlesion.scoring import ensemble, executor, lesions

__all__ = ["Params", "score"]


class Params(Block):
    """Block `predict`: how lesions are scored."""

    batch_size: int = Field(ge=1)
    engine: Literal["auto", "keras", "litert"]
    strict: bool
    n_views: views.N = 1


def score(
    models: Mapping[FoldSeed, trained.Trained],
    source: lesions.Source,
    p: Params,
    selection: lesions.Selection = lesions.ALL,
) -> Iterator[pd.DataFrame]:
    """Score the lesions of a metadata table, a piece at a time.

    Args:
        models: Their logits are averaged, each put on the true prior before.
        source: The lesions. Its executor has these models, maybe beside others.
        p: The block `predict`.
        selection: Which of the lesions.

    Yields:
        As `ensemble.score`, in the order of the table. All pieces but the last are of whole
        batches.

    Raises:
        InputError: The table lacks a feature or holds a bad value; a tile cannot be read and
            p.strict holds; or the cluster is lost.
    """
    columns, text = trained.columns(list(models.values()))
    n = executor.piece_size(selection.n_lesions, p.batch_size, source.run.min_pieces)
    pieces = (
        ensemble.Piece(
            rows, tuple(models), p.batch_size, p.strict, p.n_views, selection.features_of
        )
        for rows in lesions.pieces(source.metadata, columns, text, selection, n)
    )
    known, n_passes = selection.n_lesions, len({m.image_px for m in models.values()})
    total = None if known is None else known * n_passes
    with tqdm(total=total, desc=selection.name, unit="tile", mininterval=1, maxinterval=30) as bar:
        yield from source.run.map(ensemble.score, pieces, bar.update)
