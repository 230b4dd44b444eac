"""What runs a network to score: Keras itself, or LiteRT, which is faster on a processor."""

import importlib.util
from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.errors import InputError
from skinlesion.network import trained
from skinlesion.scoring import conversion, litert, passes

__all__ = ["on_keras", "on_litert", "prepared", "require"]


def prepared(
    models: Mapping[FoldSeed, trained.Trained], name: str, *, features_of: FoldSeed | None = None
) -> dict[FoldSeed, passes.Network]:
    """Put models on the engine that is to run them.

    Args:
        models: By fold and seed.
        name: "keras"; "litert"; or "auto", which is LiteRT where Keras would run on a processor, by
            TensorFlow in float32, and Keras elsewhere.
        features_of: The model that is also to give its pooled image features.

    Returns:
        The same models, to score with.

    Raises:
        InputError: LiteRT is asked for and not installed, or Keras is on another backend or in
            another precision.
    """
    if name == "auto":
        on_gpu = tf.config.get_visible_devices("GPU")
        name = "keras" if _obstacle(*_started()) or on_gpu else "litert"
    require(name, *_started())
    given = {one: m.logits for one, m in models.items()}
    if features_of in given:
        given[features_of] = conversion.with_features(given[features_of])
    make = on_keras if name == "keras" else on_litert
    return {
        one: passes.Network(m.encoder, m.image_px, m.facts.prior_shift, make(given[one]))
        for one, m in models.items()
    }


def on_keras(model: keras.Model) -> passes.Run:
    """Run a network by Keras.

    Args:
        model: From `model.logits_of`, or with further outputs in a list.

    Returns:
        What a `passes.Network` runs.
    """

    def run(inputs: passes.Inputs, n: int) -> np.ndarray:
        # All of the batch, filled up as it is: another size would be compiled anew.
        found = model.predict_on_batch({name: inputs[name] for name in model.input})
        outputs = found if isinstance(found, list) else [found]
        return np.hstack([np.asarray(output, np.float32)[:n] for output in outputs])

    return run


def on_litert(model: keras.Model) -> passes.Run:
    """Run a network by LiteRT. Logits differ from those of Keras by about 1e-5 of their size.

    Args:
        model: As for `on_keras`.

    Returns:
        What a `passes.Network` runs.
    """
    return litert.Network(conversion.litert(model)).run


def require(name: str, backend: str, precision: str) -> None:
    """Require that an engine can be used.

    Args:
        name: As for `prepared`.
        backend: The param keras.backend.
        precision: The param keras.precision.

    Raises:
        InputError: LiteRT is asked for, and is not installed, or has no such backend or precision.
    """
    if name != "litert":
        return
    if obstacle := _obstacle(backend, precision):
        raise InputError(f"params.yaml: predict.engine must be keras {obstacle}. Got 'litert'.")
    if importlib.util.find_spec("ai_edge_litert") is None:
        raise InputError(
            "params.yaml: predict.engine must be installed. Got 'litert', which is not: "
            "pip install ai-edge-litert"
        )


def _started() -> tuple[str, str]:
    return keras.backend.backend(), keras.config.dtype_policy().name


def _obstacle(backend: str, precision: str) -> str:
    """Say where LiteRT cannot stand in for Keras, if so it is."""
    if backend != "tensorflow":
        return f"where keras.backend is {backend}"
    return "" if precision == "float32" else f"where keras.precision is {precision}"
