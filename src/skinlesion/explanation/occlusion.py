"""Where the image branch looks: a tile is hidden patch by patch, and the fall of the logit taken.

Chosen over maps of gradients: it needs the network's output only, so every backend gives it, and
its resolution is that of the patches; at 64 px an EfficientNetV2 ends in 2 x 2 cells.

Source:
    Zeiler and Fergus (2014), https://arxiv.org/abs/1311.2901
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from tqdm import tqdm

from skinlesion.dataset import batches, stores
from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.explanation import branches, cutting
from skinlesion.scoring import executor, patches

__all__ = ["Piece", "drops", "hidden_logits"]


@dataclass(frozen=True)
class Piece:
    """Some of the patches of lesions, counted lesion by lesion, each hidden in turn."""

    model: FoldSeed
    lesions: batches.Lesions  # without a store
    fraction: float  # width of a patch, as a share of the tile's
    numbers: range  # of the patches
    batch_size: int


def drops(
    members: list[branches.Member],
    n_lesions: int,
    run: executor.Executor,
    fraction: float,
    *,
    batch_size: int,
) -> np.ndarray | None:
    """Hide each patch of each tile, and measure how far the mean logit of the models falls.

    Args:
        members: From `branches.read`.
        n_lesions: How many lesions were read.
        run: Has the same models, and the tiles.
        fraction: Width of the patch, as a share of the tile's; in (0, 1).
        batch_size: Tiles per step.

    Returns:
        Shape (n_lesions, n_places, n_places), positive where hiding lowers the logit; None
        where no model has an image branch. The tabular features stay as they are.
    """
    seeing = [m for m in members if m.model.image_branch is not None]
    if not seeing:
        return None
    n = patches.n_places(fraction)
    total = sum(len(m.rows) for m in seeing) * n**2
    size = executor.piece_size(total, batch_size, run.min_pieces)
    pieces = (piece for m in seeing for piece in _pieces(m, fraction, size, batch_size))
    with tqdm(total=total, desc="patches", unit="patch", mininterval=1, maxinterval=30) as bar:
        after = np.concatenate(list(run.map(hidden_logits, pieces, bar.update)))
    found, start = np.zeros((n_lesions, n, n)), 0
    for m in seeing:
        before = m.model.logits(m.pooled, m.lesions.tabular)
        own = after[start : start + len(m.rows) * n**2].reshape(-1, n, n)
        found[m.rows] += m.weight * (before[:, np.newaxis, np.newaxis] - own)
        start += own.size
    return found


def hidden_logits(
    models: Mapping[FoldSeed, cutting.CutModel],
    store: stores.Store,
    piece: Piece,
    on_batch: Callable[[int], object],
) -> np.ndarray:
    """Compute the logit of a lesion under each of its patches.

    Args:
        models: By fold and seed; that of the piece has an image branch.
        store: The tiles.
        piece: Which patches of which lesions.
        on_batch: Called after each batch with its number of patches.

    Returns:
        Shape (len(piece.numbers),), float64, on the true prior.

    Raises:
        images.ImageError: A tile cannot be read.
    """
    m, n = models[piece.model], piece.batch_size
    patched = islice(_patched(store, piece), piece.numbers.start, piece.numbers.stop)
    rows = np.asarray(piece.numbers) // patches.n_places(piece.fraction) ** 2
    found = []
    for i in range(0, len(rows), n):
        part = rows[i : i + n]
        tiles = np.stack(list(islice(patched, n)))
        filled = np.pad(tiles, [(0, n - len(tiles)), (0, 0), (0, 0), (0, 0)])
        found.append(m.logits(m.pooled(filled)[: len(part)], piece.lesions.tabular[part]))
        on_batch(len(part))
    return np.concatenate(found)


def _pieces(m: branches.Member, fraction: float, size: int, batch_size: int) -> Iterator[Piece]:
    """Cut the patches of all lesions of a member into pieces of whole batches."""
    each = patches.n_places(fraction) ** 2
    total = len(m.rows) * each
    for start in range(0, total, size):
        stop = min(start + size, total)
        touched = np.arange(start // each, (stop - 1) // each + 1)
        numbers = range(start - touched[0] * each, stop - touched[0] * each)
        lesions = batches.select(m.lesions, touched)
        yield Piece(m.name, lesions, fraction, numbers, batch_size)


def _patched(store: stores.Store, piece: Piece) -> Iterator[np.ndarray]:
    lesions = replace(piece.lesions, store=store)
    for inputs, unread in batches.scoring(lesions, batch_size=piece.batch_size):
        for tile in inputs["image"][: len(unread)]:
            yield from patches.hidden(tile, fraction=piece.fraction)
