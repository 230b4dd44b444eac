"""What runs a network to score: Keras itself, or LiteRT, which is faster on a processor."""

import importlib.util
from collections.abc import Mapping
from dataclasses import replace

import keras
import numpy as np
import tensorflow as tf

from skinlesion.errors import InputError
from skinlesion.network import trained
from skinlesion.scoring import conversion, image_features, litert

__all__ = ["LiteRT", "prepared"]


class LiteRT:
    """A network of Keras that scores and no more; it stands where one from `model.logits_of` would.

    Logits differ from those of Keras by about 1e-5 of their size, as `litert.Network` says.
    """

    def __init__(self, logits: keras.Model) -> None:
        self.input = dict(logits.input)
        self._network = litert.Network(conversion.litert(logits), ["logit"])

    def predict_on_batch(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return what the network gives, shape (n, width), float32.

        Args:
            inputs: As `litert.Network.run` takes them.
        """
        return self._network.run({name: inputs[name] for name in self.input})["logit"]


def prepared(
    models: Mapping[int, trained.Trained], name: str, *, features_of: int | None = None
) -> dict[int, trained.Trained]:
    """Put models on the engine that is to run them.

    Args:
        models: By fold.
        name: "keras"; "litert"; or "auto", which is LiteRT where Keras would run on a processor, by
            TensorFlow in float32, and Keras elsewhere.
        features_of: The fold whose model is also to give its pooled image features.

    Returns:
        The same models, which may be able to score and no more.

    Raises:
        InputError: LiteRT is asked for and not installed, or Keras is on another backend or in
            another precision.
    """
    if features_of is not None and features_of in models:
        one = models[features_of]
        both = replace(one, logits=image_features.joined(one.logits))
        models = {**models, features_of: both}
    if name == "auto":
        name = "keras" if _obstacle() or tf.config.get_visible_devices("GPU") else "litert"
    if name == "keras":
        return dict(models)
    if obstacle := _obstacle():
        raise InputError(f"params.yaml: predict.engine must be keras {obstacle}. Got 'litert'.")
    if importlib.util.find_spec("ai_edge_litert") is None:
        raise InputError(
            "params.yaml: predict.engine must be installed. Got 'litert', which is not: "
            "pip install ai-edge-litert"
        )
    return {fold: replace(m, logits=LiteRT(m.logits)) for fold, m in models.items()}


def _obstacle() -> str:
    """Say where LiteRT cannot stand in for Keras, if so it is."""
    if keras.backend.backend() != "tensorflow":
        return f"where keras.backend is {keras.backend.backend()}"
    precision = keras.config.dtype_policy().name
    return "" if precision == "float32" else f"where keras.precision is {precision}"
