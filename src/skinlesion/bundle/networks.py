"""The networks of a bundle: each fold's on LiteRT, with the encoder of its table."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import Field, ValidationError

from skinlesion.dataset import batches, stores, views
from skinlesion.errors import InputError
from skinlesion.features import tabular
from skinlesion.params import Block
from skinlesion.scoring import litert

__all__ = [
    "ENCODER",
    "FACTS",
    "NETWORK",
    "OUTPUTS",
    "Facts",
    "Member",
    "Scored",
    "load",
    "outputs",
    "score",
]

NETWORK, ENCODER, FACTS = "network.tflite", "encoder.json", "facts.json"
OUTPUTS = ("logit", "pooled")  # the latter only where there is an image branch
BATCH_SIZE = 128  # lesions that are read at a time


class Facts(Block):
    """What scoring needs beside network and encoder."""

    fold: int
    prior_shift: float  # subtracted from each logit, to put scores on the true prior
    image_px: int = Field(ge=0)  # 0: it reads no tile


@dataclass(frozen=True)
class Member:
    """The network of a fold."""

    network: litert.Network
    encoder: tabular.Encoder
    facts: Facts

    def run(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        """Return the logit, on the true prior, and the pooled features behind it.

        Args:
            inputs: As for `litert.Network.run`.

        Returns:
            Shape (n, 1 + n_pooled), float64.
        """
        found = self.network.run({name: inputs[name] for name in self.network.inputs})
        logit = found["logit"].astype(np.float64) - self.facts.prior_shift
        return np.hstack([logit, *(found[name] for name in OUTPUTS[1:] if name in found)])


@dataclass(frozen=True)
class Scored:
    """What the networks say of some lesions."""

    logits: np.ndarray  # shape (n_members, n_lesions), float64; NaN where the tile is unreadable
    sd_views: np.ndarray | None  # shape (n_lesions,): the root mean square over members; None: one
    reasons: list[str]  # by lesion: "", or why its tile cannot be read


Pooled = Callable[[int, slice, np.ndarray], object]


def outputs(facts: Facts) -> tuple[str, ...]:
    """Return what the outputs of a network are called.

    Args:
        facts: Of the network.
    """
    return OUTPUTS[: 1 + (facts.image_px > 0)]


def load(folder: Path) -> list[Member]:
    """Load the networks.

    Args:
        folder: Holds a folder fold-K per fold.

    Raises:
        InputError: A file is absent or malformed.
    """
    paths = sorted(folder.glob("fold-*"), key=lambda path: int(path.name.removeprefix("fold-")))
    return [_member(path) for path in paths]


def score(
    members: Sequence[Member],
    lesions: pd.DataFrame,
    store: stores.Store,
    *,
    n_views: views.N,
    on_pooled: Pooled = lambda member, rows, features: None,
) -> Scored:
    """Score lesions. Each tile is decoded once for all networks that take its size.

    Args:
        members: From `load`.
        lesions: isic_id, and the columns that the encoders read.
        store: The tiles.
        n_views: Of each tile, over which outputs are averaged.
        on_pooled: Called with the place of a member, the rows of some lesions and their pooled
            features, shape (n, n_pooled).

    Raises:
        InputError: A column is absent, or holds a bad value.
    """
    logits, reasons = np.empty((len(members), len(lesions))), [""] * len(lesions)
    variance = np.full(logits.shape, np.nan)
    for px in sorted({m.facts.image_px for m in members}):
        chosen = [i for i, m in enumerate(members) if m.facts.image_px == px]
        some = [members[i] for i in chosen]
        for rows, outputs, unread in _batches(some, lesions, store if px else None, n_views):
            for i, (found, over_views) in zip(chosen, outputs, strict=True):
                is_unread = [r != "" for r in unread]
                logits[i, rows] = np.where(is_unread, np.nan, found[:, 0])
                variance[i, rows] = np.where(is_unread, np.nan, over_views)
                on_pooled(i, rows, found[:, 1:])
            reasons[rows] = [a or b for a, b in zip(reasons[rows], unread, strict=True)]
    several = variance[~np.isnan(variance).all(1)]
    return Scored(logits, np.sqrt(several.mean(0)) if len(several) else None, reasons)


def _batches(
    members: Sequence[Member],
    lesions: pd.DataFrame,
    store: stores.Store | None,
    n_views: views.N,
) -> Iterator[tuple[slice, list[tuple[np.ndarray, np.ndarray]], list[str]]]:
    """Yield rows, what `_viewed` gives of each member, and why tiles cannot be read; by batch."""
    encoded = [tabular.transform(lesions, m.encoder) for m in members]
    edges = list(pairwise(accumulate((e.shape[1] for e in encoded), initial=0)))
    px, start = members[0].facts.image_px, 0
    given = batches.Lesions(lesions["isic_id"].to_numpy(), np.hstack(encoded), store, px)
    size = max(1, min(BATCH_SIZE, len(lesions)))
    for inputs, unread in batches.scoring(given, batch_size=size, strict=False):
        n = len(unread)
        cut = {name: values[:n] for name, values in inputs.items()}
        outputs = [
            _viewed(m, _own(cut, slice(*edge)), n_views)
            for m, edge in zip(members, edges, strict=True)
        ]
        yield slice(start, start + n), outputs, unread
        start += n


def _viewed(
    m: Member, inputs: dict[str, np.ndarray], n_views: views.N
) -> tuple[np.ndarray, np.ndarray]:
    """Mean outputs over the views of tiles, and the variance of the logit; NaN of one view."""
    if n_views == 1 or "image" not in inputs:
        found = m.run(inputs)
        return found, np.full(len(found), np.nan)
    each = np.stack([m.run(inputs | {"image": v}) for v in views.of(inputs["image"], n_views)])
    return np.asarray(sum(each) / len(each)), each[:, :, 0].var(0, ddof=1)


def _own(inputs: dict[str, np.ndarray], columns: slice) -> dict[str, np.ndarray]:
    return {k: v[:, columns] if k == "tabular" else v for k, v in inputs.items()}


def _member(folder: Path) -> Member:
    path = folder / FACTS
    try:
        facts = Facts.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise InputError(f"{path} must be the facts of a network. {error}") from None
    path = folder / NETWORK
    try:
        network = litert.Network(path.read_bytes(), outputs(facts))
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"{path} must be a network in the format of LiteRT. {error}") from None
    return Member(network, tabular.load(folder / ENCODER), facts)
