"""Score the lesions of any challenge folder with trained models, without DVC and params.yaml."""

import json
import os
import sys
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

from skinlesion.dataset import stores
from skinlesion.errors import InputError

__all__ = ["Files", "Runtime", "Settings", "runtime", "score"]


@dataclass(frozen=True)
class Files:
    """What is read, and the folder that is written."""

    models: Path  # one model's folder, or one that holds a folder fold-K per model
    metadata: Path
    images: Path
    out: Path


@dataclass(frozen=True)
class Settings:
    """How lesions are scored: as the block `predict` of params.yaml."""

    batch_size: int
    engine: Literal["auto", "keras", "litert"]
    strict: bool


class Runtime(NamedTuple):
    """What models were trained with, and score with."""

    backend: str
    precision: str


def score(files: Files, settings: Settings) -> str:
    """Write submission.csv and unreadable.csv.

    Keras runs on the backend of the models, or on that of the variable KERAS_BACKEND where it is
    set. Call it before anything imports Keras.

    Args:
        files: What is read and written. The folder `out` is made.
        settings: How lesions are scored.

    Returns:
        A line that says what was scored.

    Raises:
        InputError: The models, the table or the tiles are not what they must be.
        OSError: The folder cannot be written.
    """
    used = runtime(files.models)
    files.out.mkdir(parents=True, exist_ok=True)  # an error now, not after hours of scoring
    os.environ.setdefault("KERAS_BACKEND", used.backend)
    # Keras takes its backend when it is imported, which these do.
    from skinlesion.features import shift
    from skinlesion.network import backend, trained
    from skinlesion.scoring import engine, executor, lesions, predict, test_set

    on = {"backend": os.environ["KERAS_BACKEND"], "precision": used.precision, "seed": 0}
    keras = backend.Params.model_validate(on)
    backend.start(keras)
    p = predict.Params.model_validate(asdict(settings))
    isic_ids = test_set.isic_ids(files.metadata)
    stores.open_store(files.images, rehearse=True)  # no stage `check` has read them
    models = trained.load_folds(files.models)
    sys.stderr.write(shift.said(files.metadata, [m.encoder for m in models.values()]))
    folds = None if trained.is_one(files.models) else tuple(models)
    plan = executor.Plan(files.models, folds, keras, partial(engine.prepared, name=p.engine))
    with executor.opened(plan, models) as run_on:
        source = lesions.Source(files.metadata, run_on(files.images))
        pieces = predict.score(models, source, p, lesions.Selection("score", len(isic_ids)))
        scored = test_set.joined(pieces, isic_ids)
    test_set.write(scored, files.out)
    return test_set.summary(scored, n_models=len(models))


def runtime(models: Path) -> Runtime:
    """Read from the facts of models what they must be run with. Imports no Keras.

    Args:
        models: One model's folder, or one that holds a folder fold-K per model.

    Raises:
        InputError: There is no model, its facts cannot be read, or models differ.
    """
    paths = sorted(models.glob("facts.json")) or sorted(models.glob("fold-*/facts.json"))
    if not paths:
        raise InputError(f"{models} must be a model or hold folders fold-K. It holds none.")
    found = {_runtime(path): path for path in paths}
    if len(found) > 1:
        lines = "".join(f"\n  {path}: {', '.join(used)}" for used, path in found.items())
        raise InputError(f"{models} must hold models of one backend and precision. Got:{lines}")
    return next(iter(found))


def _runtime(facts_json: Path) -> Runtime:
    try:
        facts = json.loads(facts_json.read_text(encoding="utf-8"))
        return Runtime(str(facts["backend"]), str(facts["precision"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{facts_json} must be the facts of a model. {error}") from None
