"""The limits: a network fed one batch that lies ready. Import it once Keras is started."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from networks import train_params

from skinlesion.network import model


def compiled(network: keras.Model) -> keras.Model:
    """Compile a network as `training.fit` does, but for the rate of learning, which is constant.

    Args:
        network: From `model.build`.
    """
    logits, p = model.logits_of(network), train_params(1)
    logits.compile(
        keras.optimizers.AdamW(p.learning_rate, weight_decay=p.weight_decay),
        keras.losses.BinaryCrossentropy(from_logits=True),
        weighted_metrics=[],
        metrics=[keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy")],
    )
    return logits


def constant_batch(plan: model.Architecture, n: int) -> dict[str, np.ndarray]:
    """Make one batch of inputs.

    Args:
        plan: Of the network.
        n: Lesions.
    """
    rng, px = np.random.default_rng(0), plan.model.image_px
    image = rng.integers(0, 256, (n, px, px, 3), np.uint8)
    return {"image": image, "tabular": rng.random((n, plan.n_features), np.float32)}


def constant_fit(plan: model.Architecture, n_batches: int) -> Callable[[], object]:
    """Make the limit of training: as many steps, and one to validate, on one batch held ready.

    Args:
        plan: Of the network.
        n_batches: Steps.
    """
    logits, n = compiled(model.build(plan)), train_params(1).batch_size
    batch = constant_batch(plan, n)
    fed = batch | {"image": batch["image"].astype(np.float32)}
    one = tf.data.Dataset.from_tensors((fed, np.zeros((n, 1), "f4"), np.ones(n, "f4")))
    ready = one.cache().repeat(n_batches).prefetch(2)

    def run() -> None:
        logits.fit(ready, shuffle=False, verbose=0)
        logits.predict_on_batch(batch)

    return run
