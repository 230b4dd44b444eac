"""What runs a network to score: Keras itself, or LiteRT, which is faster on a processor."""

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import replace

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from skinlesion import network
from skinlesion.dataset import threads
from skinlesion.errors import InputError
from skinlesion.network import trained

__all__ = ["LiteRT", "constant", "prepared"]

N_AT_A_TIME = 32  # few enough for what lies between two layers to stay in the processor's cache


class LiteRT:
    """A network that scores and no more; it stands where one from `model.logits_of` would.

    LiteRT multiplies each batch normalisation into the convolution before it, and sums in another
    order: logits differ from those of Keras by about 1e-5 of their size. They are the same bits on
    every run, for any number of threads, and whatever else is in the batch.

    Source:
        https://ai.google.dev/edge/litert
    """

    def __init__(self, logits: keras.Model) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self.input = dict(logits.input)
        with network.quiet():
            # Left to the converter, weights that Keras holds would be lost without a word.
            graph = constant(logits, N_AT_A_TIME)
            content = tf.lite.TFLiteConverter.from_concrete_functions([graph]).convert()
            n_threads = threads.n_threads()
            self._interpreter = Interpreter(model_content=content, num_threads=n_threads)
            self._interpreter.allocate_tensors()
        given = {d["name"]: d["index"] for d in self._interpreter.get_input_details()}
        self._inputs = {name: given[name] for name in self.input}
        self._output = self._interpreter.get_output_details()[0]["index"]

    def predict_on_batch(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """Run the network.

        Args:
            inputs: "image", shape (n, px, px, 3), uint8, and "tabular", shape (n, n_features),
                float32, whichever the network has; any n.

        Returns:
            Logits, shape (n, 1), float32.
        """
        n = len(next(iter(inputs.values())))
        parts = [
            self._part({name: inputs[name][i : i + N_AT_A_TIME] for name in self.input})
            for i in range(0, n, N_AT_A_TIME)
        ]
        return np.concatenate([np.empty((0, 1), np.float32), *parts])

    def _part(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        n = len(next(iter(inputs.values())))
        for name, array in inputs.items():
            filled = np.zeros((N_AT_A_TIME, *array.shape[1:]), array.dtype)
            filled[:n] = array
            self._interpreter.set_tensor(self._inputs[name], filled)
        self._interpreter.invoke()
        return np.asarray(self._interpreter.get_tensor(self._output))[:n]


def prepared(models: Mapping[int, trained.Trained], name: str) -> dict[int, trained.Trained]:
    """Put models on the engine that is to run them.

    Args:
        models: By fold.
        name: "keras"; "litert"; or "auto", which is LiteRT where Keras would run on a processor, by
            TensorFlow in float32, and Keras elsewhere.

    Returns:
        The same models, which may be able to score and no more.

    Raises:
        InputError: LiteRT is asked for and not installed, or Keras is on another backend or in
            another precision.
    """
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


def constant(logits: keras.Model, n: int) -> Callable[..., list[tf.Tensor]]:
    """Take a network as a graph of TensorFlow whose weights are constants.

    Args:
        logits: From `model.logits_of`.
        n: Lesions per batch.

    Returns:
        A concrete function of the keywords "image", uint8, and "tabular", float32, whichever the
        network has; to a list of the logits, shape (n, 1).
    """
    signature = [
        tf.TensorSpec((n, *tensor.shape[1:]), "uint8" if name == "image" else "float32", name)
        for name, tensor in logits.input.items()
    ]

    @tf.function(input_signature=signature, autograph=False)  # type: ignore[untyped-decorator]
    def run(*inputs: tf.Tensor) -> tf.Tensor:
        given = zip(logits.input, inputs, strict=True)
        return logits({name: tf.cast(x, "float32") for name, x in given}, training=False)

    found: Callable[..., list[tf.Tensor]] = convert_variables_to_constants_v2(
        run.get_concrete_function()
    )
    return found


def _obstacle() -> str:
    """Say where LiteRT cannot stand in for Keras, if so it is."""
    if keras.backend.backend() != "tensorflow":
        return f"where keras.backend is {keras.backend.backend()}"
    precision = keras.config.dtype_policy().name
    return "" if precision == "float32" else f"where keras.precision is {precision}"
