"""A network of Keras in the formats of other engines."""

from collections.abc import Callable

import keras
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from skinlesion.params import Block
from skinlesion.quiet import quiet
from skinlesion.scoring.litert import N_AT_A_TIME

__all__ = ["OUTPUTS", "Params", "constant", "litert", "with_features"]

OUTPUTS = ("logit", "pooled")  # of `with_features`


class Params(Block):
    """Block `export`: in which formats networks are written."""

    float16: bool
    onnx: bool


def with_features(logits: keras.Model) -> keras.Model:
    """Return a network with a second output, the pooled features of its tile, if it reads one.

    Args:
        logits: From `model.logits_of`; the two share their weights.

    Returns:
        From the same inputs to the logit; or to a list of it and the features, shape (n, n_pooled),
        as OUTPUTS names them.
    """
    if "image" not in logits.input:
        return logits
    pooled = logits.get_layer("image_pool").output
    return keras.Model(logits.input, [logits.output, pooled], name="scoring")


def litert(model: keras.Model, *, float16: bool = False) -> bytes:
    """Convert a network to LiteRT; the same weights give the same bytes.

    Args:
        model: From `model.logits_of`, or with further outputs in a list.
        float16: Whether weights are kept in half the bytes; LiteRT computes in float32 anyway.

    Returns:
        What `litert.Network` loads, its outputs in their order.
    """
    with quiet():
        # Left to the converter, weights that Keras holds would be lost without a word.
        converter = tf.lite.TFLiteConverter.from_concrete_functions([constant(model, N_AT_A_TIME)])
        if float16:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.target_spec.supported_types = [tf.float16]
        return bytes(converter.convert())


def constant(model: keras.Model, n: int) -> Callable[..., list[tf.Tensor]]:
    """Take a network as a graph of TensorFlow whose weights are constants.

    Args:
        model: From `model.logits_of`, or with further outputs in a list.
        n: Lesions per batch.

    Returns:
        A concrete function of the keywords "image", uint8, and "tabular", float32, whichever the
        network has; to a list of the outputs, shape (n, width).
    """
    signature = [
        tf.TensorSpec((n, *tensor.shape[1:]), "uint8" if name == "image" else "float32", name)
        for name, tensor in model.input.items()
    ]

    @tf.function(input_signature=signature, autograph=False)  # type: ignore[untyped-decorator]
    def run(*inputs: tf.Tensor) -> tf.Tensor:
        given = zip(model.input, inputs, strict=True)
        return model({name: tf.cast(x, "float32") for name, x in given}, training=False)

    found: Callable[..., list[tf.Tensor]] = convert_variables_to_constants_v2(
        run.get_concrete_function()
    )
    return found
