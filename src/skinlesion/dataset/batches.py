"""Batches of lesions: their tiles and tabular features, shuffled by seed."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import pandas as pd

from skinlesion.dataset import images, stores, threads
from skinlesion.dataset.sharding import WHOLE, Shard
from skinlesion.errors import InputError

__all__ = ["Lesions", "Training", "planned", "scoring", "select", "training"]

N_READERS = min(8, threads.n_threads())  # tiles are decoded and resized without the GIL
N_AHEAD = 2  # batches that are read while one is used
# One for the process: a pool of a generator's own would be shut down by whichever thread
# collects it when it is given up, and that may be one of the pool.
_READERS = ThreadPoolExecutor(N_READERS, thread_name_prefix="tiles")


@dataclass(frozen=True)
class Lesions:
    """The inputs of a network for some lesions, row by row."""

    isic_ids: np.ndarray  # shape (n_lesions,)
    tabular: np.ndarray  # shape (n_lesions, n_features), float32; n_features may be 0
    store: stores.Store | None  # None: the network has no image branch
    image_px: int

    def __len__(self) -> int:
        return len(self.isic_ids)


@dataclass(frozen=True)
class Training:
    """What an epoch is made from: lesions, and for each draw its row, target and weight."""

    lesions: Lesions
    rows: np.ndarray  # shape (n_drawn,), into lesions
    y_true: np.ndarray  # shape (n_drawn,), or with auxiliary ones (n_drawn, n_targets); float32
    weight: np.ndarray  # shape (n_drawn,), float32


def select(lesions: Lesions, rows: np.ndarray) -> Lesions:
    """Take some of the lesions.

    Args:
        lesions: Any.
        rows: Indices, or a mask of shape (n_lesions,).
    """
    return replace(lesions, isic_ids=lesions.isic_ids[rows], tabular=lesions.tabular[rows])


def planned(lesions: Lesions, y_true: np.ndarray, draws: pd.DataFrame) -> list[Training]:
    """Look up the lesions that each planned epoch holds.

    Args:
        lesions: All that the plan may name.
        y_true: Shape (n_lesions,), their targets, or with auxiliary ones (n_lesions, n_targets).
        draws: epoch, isic_id and weight, as `resample.draw` gives them.

    Returns:
        One entry per planned epoch.

    Raises:
        InputError: The plan names a lesion that is not among `lesions`.
    """
    rows = pd.Index(lesions.isic_ids).get_indexer(draws["isic_id"])
    if (rows < 0).any():
        absent = draws["isic_id"][rows < 0].iloc[0]
        raise InputError(f"the draws must name lesions with tabular features. Got {absent}.")
    y_drawn = y_true[rows].astype(np.float32)
    weight = draws["weight"].to_numpy(np.float32)
    return [
        Training(lesions, rows[i], y_drawn[i], weight[i])
        for i in draws.groupby("epoch").indices.values()
    ]


def scoring(
    lesions: Lesions, *, batch_size: int, strict: bool = True
) -> Iterator[tuple[dict[str, np.ndarray], list[str]]]:
    """Yield the network's inputs, batch by batch, in the order of the lesions.

    Args:
        lesions: Any number of lesions.
        batch_size: Lesions per batch. The last batch is filled up with zeros, so that the
            network is compiled for one shape only.
        strict: Whether a tile that cannot be read is an error; if not, it is black.

    Yields:
        "image", shape (batch_size, px, px, 3), uint8, and "tabular", shape (batch_size,
        n_features), float32, each only if the network has that branch; and one string per
        lesion, "" or why its tile cannot be read.

    Raises:
        images.ImageError: A tile cannot be read and `strict` holds.
    """
    rows = np.arange(len(lesions))
    parts = (rows[i : i + batch_size] for i in range(0, len(rows), batch_size))
    for _, inputs, reasons in _gathered(lesions, ((part, part) for part in parts), batch_size):
        _require_readable(reasons if strict else [])
        yield inputs, reasons


def training(
    data: Training, *, batch_size: int, seed: int, epoch: int, shard: Shard = WHOLE
) -> Iterator[tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]]:
    """Yield one epoch of shuffled batches of one size; no lesion is left out.

    Args:
        data: What the epoch is made from.
        batch_size: Largest number of lesions per batch, of all devices together.
        seed: Of the order.
        epoch: From 0; with the seed it decides the order.
        shard: What this process reads of each batch.

    Yields:
        The network's inputs as from `scoring`, filled up as `Shard.batches` says; targets, shape
        (n,) or (n, n_targets), and weights, shape (n,), float32.

    Raises:
        images.ImageError: A tile cannot be read.
        InputError: There are more devices than lesions in a batch.
    """
    order = np.random.default_rng([seed, epoch]).permutation(len(data.rows))
    parts = shard.batches(order, data.weight, batch_size=batch_size)
    drawn = _gathered(data.lesions, ((part, data.rows[part]) for part, _ in parts))
    for (_, weight), (part, inputs, reasons) in zip(parts, drawn, strict=True):
        _require_readable(reasons)
        yield inputs, data.y_true[part], weight


@dataclass(frozen=True)
class _Batch:
    """Inputs that the readers are filling in."""

    part: np.ndarray  # what the batch is called
    inputs: dict[str, np.ndarray]
    readers: list[Future[list[str]]]


def _gathered(
    lesions: Lesions, parts: Iterator[tuple[np.ndarray, np.ndarray]], n: int = 0
) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray], list[str]]]:
    """Read the rows of each part, the next parts ahead."""
    begun = (_begin(lesions, part, rows, max(n, len(rows))) for part, rows in parts)
    waiting = deque(islice(begun, N_AHEAD))
    while waiting:
        batch = waiting.popleft()
        read = [reason for reader in batch.readers for reason in reader.result()]
        waiting.extend(islice(begun, 1))
        yield batch.part, batch.inputs, read or [""] * len(batch.part)


def _begin(lesions: Lesions, part: np.ndarray, rows: np.ndarray, n: int) -> _Batch:
    inputs, readers = {}, []
    if lesions.store is not None:
        tiles = inputs["image"] = np.zeros((n, lesions.image_px, lesions.image_px, 3), np.uint8)
        step = -(-len(rows) // N_READERS)
        readers = [
            _READERS.submit(_read, lesions, lesions.store, rows[i : i + step], tiles[i:])
            for i in range(0, len(rows), step)
        ]
    if lesions.tabular.shape[1]:
        inputs["tabular"] = np.zeros((n, lesions.tabular.shape[1]), np.float32)
        inputs["tabular"][: len(rows)] = lesions.tabular[rows]
    return _Batch(part, inputs, readers)


def _read(lesions: Lesions, store: stores.Store, rows: np.ndarray, tiles: np.ndarray) -> list[str]:
    """Read tiles into an array of zeros; return the reason for each that cannot be read."""
    reasons = []
    for isic_id, tile in zip(lesions.isic_ids[rows], tiles, strict=False):
        try:
            tile[:] = images.tile(store.read(isic_id), px=lesions.image_px)
            reasons.append("")
        except images.ImageError as error:
            reasons.append(f"{isic_id}: {error}")
    return reasons


def _require_readable(reasons: list[str]) -> None:
    for reason in filter(None, reasons):
        raise images.ImageError(reason)
