"""What one would otherwise run: the customary KerasCV recipe, in the fewest lines.

All JPEG bytes are held in memory, decoded and resized by tf.data, flipped and cut out by KerasCV
after batching; Keras' FeatureSpace encodes the table. It uses the network of this project, so
that only the way to it differs. No determinism, no exact metric, no check of the data.
"""

from pathlib import Path

import h5py
import keras
import keras_cv
import numpy as np
import pandas as pd
import tensorflow as tf
from keras.utils import FeatureSpace

from skinlesion import params
from skinlesion.dataset import metadata
from skinlesion.features import tabular
from skinlesion.training import schedule

MISSING = "missing"


def features(table: pd.DataFrame, params_yaml: Path) -> tuple[dict[str, np.ndarray], FeatureSpace]:
    """Adapt a FeatureSpace to the features of the block `encode`.

    Args:
        table: The lesions.
        params_yaml: Holds the block.
    """
    p = params.load("encode", tabular.Params, params_yaml)
    given = {c: table[c].fillna(table[c].median()).to_numpy("f4") for c in p.numeric}
    given |= {c: table[c].fillna(MISSING).to_numpy(str) for c in p.categorical}
    kinds = dict.fromkeys(p.numeric, "float_normalized")
    kinds |= dict.fromkeys(p.categorical, "string_categorical")
    space = FeatureSpace(kinds, output_mode="concat")
    space.adapt(tf.data.Dataset.from_tensor_slices(given).batch(1024))
    return given, space


def tiles(path: Path, isic_ids: pd.Series) -> list[bytes]:
    """Read all JPEG bytes.

    Args:
        path: The HDF5 file.
        isic_ids: Of the lesions.
    """
    with h5py.File(path, locking=False) as file:  # as the pipeline opens it in the same process
        return [file[isic_id][()].tobytes() for isic_id in isic_ids]


def held(table: pd.DataFrame, given: dict[str, np.ndarray], jpegs: list[bytes]) -> tf.data.Dataset:
    """Hold all lesions in memory.

    Args:
        table: The lesions, with their targets.
        given: Their features.
        jpegs: Their tiles.
    """
    target = table["target"].to_numpy("f4")[:, None]
    return tf.data.Dataset.from_tensor_slices((jpegs, given, target))


def dataset(
    data: tf.data.Dataset, space: FeatureSpace, *, px: int, batch_size: int, augmented: bool
) -> tf.data.Dataset:
    """Make the input of Keras' `fit` or `predict`.

    Args:
        data: From `held`.
        space: What encodes the features.
        px: Side of the resized tiles.
        batch_size: Lesions per batch.
        augmented: Whether to shuffle, flip and cut out.
    """

    def decoded(jpeg: tf.Tensor, row: dict[str, tf.Tensor], y: tf.Tensor) -> tuple:
        image = tf.io.decode_jpeg(jpeg, channels=3)
        return tf.image.resize(image, (px, px), method="area"), row, y

    def inputs(image: tf.Tensor, row: dict[str, tf.Tensor], y: tf.Tensor) -> tuple:
        if augmented:
            for change in changes:
                image = change(image)
        return {"image": image, "tabular": space(row)}, y

    changes = [
        keras_cv.layers.RandomFlip("horizontal_and_vertical", seed=1),
        keras_cv.layers.RandomCutout(0.1, 0.1, seed=1),
    ]
    if augmented:
        data = data.shuffle(10 * batch_size)
    data = data.map(decoded, tf.data.AUTOTUNE).batch(batch_size)
    return data.map(inputs, tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def read(folder: Path) -> pd.DataFrame:
    """Read the training table.

    Args:
        folder: A challenge folder.
    """
    return pd.read_csv(
        folder / "train-metadata.csv", dtype=dict.fromkeys(metadata.TEXT, str), low_memory=False
    )


def n_features(space: FeatureSpace) -> int:
    """Count the encoded columns.

    Args:
        space: Adapted.
    """
    return int(space.get_encoded_features().shape[-1])


def compiled(logits: keras.Model, p: schedule.Params) -> keras.Model:
    """Compile with the optimizer of the pipeline at a constant rate, and Keras' own AUC.

    Args:
        logits: The network up to its logit.
        p: Its block `train`. Adam without weight decay would take a tenth less per step.
    """
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    optimizer = keras.optimizers.AdamW(p.learning_rate, weight_decay=p.weight_decay)
    logits.compile(optimizer, loss, metrics=[keras.metrics.AUC(from_logits=True)])
    return logits
