"""A trained model as a folder of plain files: weights, architecture, encoder, facts."""

import json
import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import keras
from pydantic import Field, ValidationError

from skinlesion.errors import InputError
from skinlesion.features import tabular
from skinlesion.network import model
from skinlesion.params import Block

__all__ = ["Facts", "Trained", "columns", "is_one", "load", "load_folds", "save"]

WEIGHTS, ARCHITECTURE = "network.weights.h5", "architecture.json"
ENCODER, FACTS = "encoder.json", "facts.json"
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
    """A model that can score."""

    logits: keras.Model  # or what `engine.prepared` puts in its place, to score
    encoder: tabular.Encoder
    architecture: model.Architecture
    facts: Facts


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
    encoder = tabular.load(folder / ENCODER)
    if len(encoder.names) != architecture.n_features:
        raise InputError(
            f"{folder}: the encoder must give {architecture.n_features} features. "
            f"Got {len(encoder.names)} instead."
        )
    network = model.build(architecture)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one for each layer that the file lacks
            network.load_weights(folder / WEIGHTS)
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"{folder / WEIGHTS} must hold the weights of the architecture beside it. {reason}"
        ) from None
    found = _block(folder / FACTS, Facts)
    return Trained(model.logits_of(network), encoder, architecture, found)


def load_folds(folder: Path, *, expected: Iterable[int] | None = None) -> dict[int, Trained]:
    """Load the model of each fold.

    Args:
        folder: One model's folder, or one that holds a folder fold-K per fold.
        expected: The folds that must be there, and no others; any when None.

    Returns:
        The models by fold; a lone model, refused where folds are expected, is fold 0.

    Raises:
        InputError: There is no model, a fold is absent or unexpected, or as for `load`.
    """
    alone = expected is None  # which lesions a lone model has seen is not known
    if alone and is_one(folder):
        return {0: load(folder)}
    paths = [p for p in folder.glob("fold-*") if re.fullmatch(r"fold-\d+", p.name)]
    found = {int(p.name.removeprefix("fold-")): p for p in paths}
    if not found:
        what = "be a model or hold" if alone else "hold"
        raise InputError(f"{folder} must {what} folders fold-K. It holds none.")
    wanted = set(found if expected is None else expected)
    for fold in sorted(wanted ^ found.keys()):
        path = folder / f"fold-{fold}"
        if fold in wanted:
            raise InputError(f"{path} must be a model. There is none.")
        # Averaging it in would be wrong, and DVC hashes all that lies in the folder.
        raise InputError(
            f"{folder} must hold the models of split.train_folds = {sorted(wanted)} only. Got "
            f"{path}, of an earlier setting; DVC's cache keeps it: rm -r {path}"
        )
    return {fold: load(path) for fold, path in sorted(found.items())}


def is_one(folder: Path) -> bool:
    """Return whether a folder is that of one model, rather than one that holds several.

    Args:
        folder: Of which `load_folds` is asked.
    """
    return (folder / ARCHITECTURE).exists()


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
    except (OSError, ValueError, ValidationError) as error:
        raise InputError(
            f"{path} must be the {block.__name__.lower()} of a model. {error}"
        ) from None
