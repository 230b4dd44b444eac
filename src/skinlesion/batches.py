"""Lesions to batches: the rows, their tiles and tabular features; owns shuffling and its seed."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from skinlesion import images
from skinlesion.errors import InputError

__all__ = ["Lesions", "Training", "planned", "scoring", "select", "training"]

N_READERS = 4  # Pillow decodes without the GIL; reading and decoding overlap


@dataclass(frozen=True)
class Lesions:
    """Lesions that a network can be fed with, row by row alike."""

    isic_ids: np.ndarray  # shape (n_lesions,)
    tabular: np.ndarray  # shape (n_lesions, n_features), float32; n_features may be 0
    store: images.Store | None  # None: the network has no image branch
    image_px: int

    def __len__(self) -> int:
        return len(self.isic_ids)


@dataclass(frozen=True)
class Training:
    """What an epoch is made from: lesions, and for each draw its row, target and weight."""

    lesions: Lesions
    rows: np.ndarray  # shape (n_drawn,), into lesions
    y_true: np.ndarray  # shape (n_drawn,), float32
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
        y_true: Shape (n_lesions,), their targets.
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
    parts = [rows[i : i + batch_size] for i in range(0, len(lesions), batch_size)]
    for _, (inputs, reasons) in _gathered(lesions, parts, parts):
        _require_readable(reasons if strict else [])
        yield {name: _filled(a, batch_size) for name, a in inputs.items()}, reasons


def training(
    data: Training, *, batch_size: int, seed: int, epoch: int
) -> Iterator[tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]]:
    """Yield one epoch of shuffled batches of nearly equal size; no lesion is left out.

    Args:
        data: What the epoch is made from.
        batch_size: Largest number of lesions per batch.
        seed: Of the order.
        epoch: From 0; with the seed it decides the order.

    Yields:
        The network's inputs as from `scoring`, not filled up; targets and weights, each of
        shape (n,), float32.

    Raises:
        images.ImageError: A tile cannot be read.
    """
    order = np.random.default_rng([seed, epoch]).permutation(len(data.rows))
    parts = np.array_split(order, -(-len(order) // batch_size))
    drawn = [data.rows[part] for part in parts]
    for part, (inputs, reasons) in _gathered(data.lesions, parts, drawn):
        _require_readable(reasons)
        yield inputs, data.y_true[part], data.weight[part]


def _gathered(
    lesions: Lesions, parts: list[np.ndarray], rows: list[np.ndarray]
) -> Iterator[tuple[np.ndarray, tuple[dict[str, np.ndarray], list[str]]]]:
    """Gather each batch while the one before it is being used."""
    with ThreadPoolExecutor(N_READERS + 2) as pool:  # two wait for their readers
        waiting = None
        for part, batch in zip(parts, rows, strict=True):
            submitted = part, pool.submit(_gather, lesions, batch, pool)
            if waiting:
                yield waiting[0], waiting[1].result()
            waiting = submitted
        if waiting:
            yield waiting[0], waiting[1].result()


def _gather(
    lesions: Lesions, rows: np.ndarray, pool: ThreadPoolExecutor
) -> tuple[dict[str, np.ndarray], list[str]]:
    inputs, reasons = {}, [""] * len(rows)
    if lesions.store is not None:
        read = list(pool.map(partial(_tile, lesions, lesions.store), rows))
        inputs["image"] = np.stack([tile for tile, _ in read])
        reasons = [reason for _, reason in read]
    if lesions.tabular.shape[1]:
        inputs["tabular"] = lesions.tabular[rows]
    return inputs, reasons


def _tile(lesions: Lesions, store: images.Store, row: int) -> tuple[np.ndarray, str]:
    """One tile as uint8, or a black one and why."""
    try:
        data = store.read(lesions.isic_ids[row])
        return images.square(images.decode(data), px=lesions.image_px), ""
    except images.ImageError as error:
        black = np.zeros((lesions.image_px, lesions.image_px, 3), np.uint8)
        return black, f"{lesions.isic_ids[row]}: {error}"


def _require_readable(reasons: list[str]) -> None:
    for reason in filter(None, reasons):
        raise images.ImageError(reason)


def _filled(array: np.ndarray, n: int) -> np.ndarray:
    return np.pad(array, [(0, n - len(array))] + [(0, 0)] * (array.ndim - 1))
