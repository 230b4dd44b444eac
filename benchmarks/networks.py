"""The networks and batches that several benchmarks feed. Import it once Keras is started."""

from pathlib import Path

import keras
import numpy as np
import pandas as pd
from harness import ROOT

from skinlesion import params
from skinlesion.dataset import batches, metadata, stores
from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.features import tabular
from skinlesion.network import augment, model, trained
from skinlesion.scoring import engine, passes, predict
from skinlesion.training import fold, schedule

PARAMS = ROOT / "params.yaml"
N_VALIDATION = 32


def augmentation(which: str) -> augment.Params:
    """Give the block `augment` with everything off, as it is, or with everything on.

    Args:
        which: "off", "default" or "all".
    """
    default = params.load("augment", augment.Params, PARAMS).model_dump()
    rates = {"off": lambda rate: 0.0, "default": float, "all": lambda rate: rate or 0.5}
    return augment.Params(
        **{name: of | {"rate": rates[which](of["rate"])} for name, of in default.items()}
    )


def train_params(n_epochs: int) -> schedule.Params:
    """Give the block `train` for a number of epochs.

    Args:
        n_epochs: At least 1.
    """
    p = params.load("train", schedule.Params, PARAMS)
    return p.model_copy(update={"n_epochs": n_epochs, "early_stopping_patience": None})


def lesions(
    folder: Path, *, px: int, n: int | None = None
) -> tuple[batches.Lesions, np.ndarray, tabular.Encoder]:
    """Read lesions of a challenge folder as the stages do.

    Args:
        folder: From `drawn.folder`.
        px: Side of the tiles.
        n: How many, both classes among the first; all when None.

    Returns:
        The lesions, their targets, and the encoder of their features.
    """
    p = params.load("encode", tabular.Params, PARAMS)
    table = metadata.read(folder / "train-metadata.csv", text=p.categorical)
    table = pd.concat([table[table["target"] == 1], table[table["target"] == 0]])
    table = table.iloc[np.random.default_rng(0).permutation(len(table))][:n]
    encoder = tabular.fit(table, p)
    store = stores.open_store(folder / "train-image.hdf5")
    found = batches.Lesions(
        table["isic_id"].to_numpy(), tabular.transform(table, encoder), store, px
    )
    return found, table["target"].to_numpy(), encoder


def epoch(given: batches.Lesions, y_true: np.ndarray, n: int) -> batches.Training:
    """Make an epoch of the first lesions.

    Args:
        given: From `lesions`.
        y_true: Their targets.
        n: How many.
    """
    rows = np.arange(n) % len(given)
    return batches.Training(given, rows, y_true[rows].astype("f4"), np.ones(n, "f4"))


def validation(given: batches.Lesions, y_true: np.ndarray) -> fold.Validation:
    """Make a validation fold of one batch, half of it positives.

    Args:
        given: From `lesions`.
        y_true: Their targets.
    """
    rows = np.concatenate(
        [np.resize(np.flatnonzero(y_true == c), N_VALIDATION // 2) for c in (0, 1)]
    )
    return fold.Validation(batches.select(given, rows), y_true[rows], 0.0)


def architecture(backbone: str, px: int, n_features: int) -> model.Architecture:
    """Describe the network of params.yaml with another backbone and size of tile.

    Args:
        backbone: A key of `backbones.BACKBONES`.
        px: Side of the tiles.
        n_features: Columns of the table.
    """
    p = params.load("model", model.Params, PARAMS)
    p = p.model_copy(update={"backbone": backbone, "image_px": px})
    return model.Architecture(model=p, n_features=n_features, imagenet_input=False)


def untrained(plan: model.Architecture, encoder: tabular.Encoder) -> passes.Network:
    """Make a model that can score, with random weights, on the engine of params.yaml.

    Args:
        plan: Of the network.
        encoder: Of its features.
    """
    one = FoldSeed(0)
    found = {one: _random(model.build(plan), plan, encoder)}
    return engine.prepared(found, params.load("predict", predict.Params, PARAMS).engine)[one]


def saved(
    plan: model.Architecture, encoder: tabular.Encoder, folder: Path
) -> dict[FoldSeed, trained.Trained]:
    """Write a model of fold 0 with random weights, and load it.

    Args:
        plan: Of the network.
        encoder: Of its features.
        folder: Of the models.
    """
    network = model.build(plan)
    facts = _random(network, plan, encoder).facts
    one = FoldSeed(0)
    trained.save(folder / one.path, network, architecture=plan, encoder=encoder, facts=facts)
    return trained.load_folds(folder, expected=[one])


def _random(
    network: keras.Model, plan: model.Architecture, encoder: tabular.Encoder
) -> trained.Trained:
    facts = trained.Facts(
        prior_shift=0.0,
        best_epoch=0,
        validation={},
        backend="",
        precision="",
        versions={},
        inputs_md5={},
    )
    return trained.Trained(model.logits_of(network), encoder, plan, facts)
