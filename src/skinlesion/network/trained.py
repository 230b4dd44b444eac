"""A trained model as a folder of plain files: weights, architecture, encoder, facts."""

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import keras
import numpy as np
import pandas as pd
from pydantic import Field

from skinlesion.dataset import fold_seed, recognition
from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.errors import InputError
from skinlesion.features import tabular
from skinlesion.network import model
from skinlesion.params import Block

__all__ = ["Facts", "Trained", "columns", "load", "load_folds", "save"]

WEIGHTS, ARCHITECTURE = "network.weights.h5", "architecture.json"
ENCODER, FACTS = "encoder.json", "facts.json"
_EXPECTED = "must hold the weights of the architecture beside it."
B = TypeVar("B", bound=Block)


class Facts(Block):
    """What scoring needs beside the weights, and their provenance."""

    prior_shift: float  # subtracted from each logit, to put scores on the true prior
    best_epoch: int = Field(ge=0)
    validation: dict[str, float]  # of the best epoch, which it chose: not a result
    backend: str
    precision: str
    versions: dict[str, str]
    inputs_md5: dict[str, str]  # by path; a file's as in dvc.lock


@dataclass(frozen=True)
class Trained:
    """A trained model."""

    logits: keras.Model
    encoder: tabular.Encoder
    architecture: model.Architecture
    facts: Facts

    @property
    def image_px(self) -> int:
        """Width of the tiles that it reads; 0: it reads none."""
        p = self.architecture.model
        return 0 if p.backbone == "none" else p.image_px


def save(
    folder: Path,
    network: keras.Model,
    *,
    architecture: model.Architecture,
    encoder: tabular.Encoder,
    facts: Facts,
) -> None:
    """Write a model. The same model, built first in its process, gives the same bytes.

    Args:
        folder: Made if need be.
        network: From `model.build`.
        architecture: What it was built from.
        encoder: What its tabular features were encoded with.
        facts: Its facts.
    """
    folder.mkdir(parents=True, exist_ok=True)
    network.save_weights(folder / WEIGHTS)
    (folder / ARCHITECTURE).write_text(architecture.model_dump_json(indent=1) + "\n")
    tabular.save(encoder, folder / ENCODER)
    (folder / FACTS).write_text(facts.model_dump_json(indent=1) + "\n")


def load(folder: Path) -> Trained:
    """Load a model. Nothing in the folder is run: it is read as JSON and as arrays.

    Args:
        folder: Written by `save`.

    Returns:
        The model, ready to score.

    Raises:
        InputError: A file is absent or malformed, or the weights are of another architecture.
    """
    architecture = _block(folder / ARCHITECTURE, model.Architecture)
    encoder = _encoder(folder / ENCODER)
    if len(encoder.names) != architecture.n_features:
        raise InputError(
            f"{folder}: the encoder must give {architecture.n_features} features. "
            f"Got {len(encoder.names)} instead."
        )
    found = _block(folder / FACTS, Facts)
    network = _network(architecture, folder / WEIGHTS)
    return Trained(model.logits_of(network), encoder, architecture, found)


def load_folds(folder: Path, *, expected: Sequence[FoldSeed]) -> dict[FoldSeed, Trained]:
    """Load the models of each fold.

    Args:
        folder: Holds a folder fold-K per fold, as `FoldSeed.path` says.
        expected: The models that must be there, and no others.

    Returns:
        The models, by fold and seed.

    Raises:
        InputError: A model is absent or unexpected, or as for `load`.
    """
    fold_seed.require(folder, expected)
    return {one: load(folder / one.path) for one in sorted(expected)}


def columns(models: Sequence[Trained]) -> tuple[list[str], list[str]]:
    """List the columns that models read: all of them, and those read as text.

    Args:
        models: Whose encoders read them.
    """
    names = dict.fromkeys(name for m in models for name in m.encoder.columns)
    text = dict.fromkeys(name for m in models for name in m.encoder.categorical)
    return list(names), list(text)


def _block(path: Path, block: type[B]) -> B:
    try:
        return block.model_validate(json.loads(path.read_text()))
    except (OSError, ValueError, RecursionError) as error:  # pydantic's is a ValueError
        reason = recognition.of_file(path, expected=recognition.TEXT) or error
        raise InputError(
            f"{path} must be the {block.__name__.lower()} of a model. {reason}"
        ) from None


def _encoder(path: Path) -> tabular.Encoder:
    """Load an encoder and try it on a lesion of which nothing is known: JSON may hold anything."""
    try:
        encoder = tabular.load(path)
        nothing = pd.DataFrame({"isic_id": ["ISIC_0"]} | {name: [None] for name in encoder.columns})
        encoded = tabular.transform(nothing, encoder)
        is_sound = encoded.shape == (1, len(encoder.names)) and np.isfinite(encoded).all()
    except InputError:
        raise
    except Exception as error:  # any, by what stands in the place of what
        raise InputError(f"{path} must be an encoder. {error!r}") from None
    if not is_sound:
        raise InputError(f"{path} must be an encoder. It encodes a lesion as {encoded.tolist()}.")
    return encoder


def _network(architecture: model.Architecture, path: Path) -> keras.Model:
    _require_room(architecture, path)
    try:
        network = model.build(architecture)
    except ValueError as error:
        raise InputError(f"{path.parent / ARCHITECTURE}: {error}") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one for each layer that the file lacks
            network.load_weights(path)
    except Exception as error:  # any of h5py's and Keras's, by where the damage lies
        found = recognition.of_file(path, expected=recognition.HDF5)
        reason = found or (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{path} {_EXPECTED} {reason}") from None
    if not all(np.isfinite(weights).all() for weights in network.get_weights()):
        raise InputError(f"{path} {_EXPECTED} Some are not finite.")
    return network


def _require_room(architecture: model.Architecture, path: Path) -> None:
    """Refuse layers that the file is too small for, before memory is taken for them."""
    if not path.is_file():
        raise InputError(f"{path} {_EXPECTED} There is none.")
    p, n_features = architecture.model, architecture.n_features
    widths = [*([n_features, *p.tabular_units] if n_features else []), *p.head_units]
    n_bytes, least = path.stat().st_size, 4 * sum(a * b for a, b in pairwise(widths))
    if n_bytes < least:
        found = recognition.of_file(path, expected=recognition.HDF5)
        size = f"It has {n_bytes:,} bytes, they take {least:,}."
        raise InputError(f"{path} {_EXPECTED} {found or size}")
