"""Start Keras: which backend, which precision, and the same bits on every run."""

import os
from typing import Literal

import keras
import tensorflow as tf
from pydantic import Field, model_validator

from skinlesion.errors import InputError
from skinlesion.params import Block
from skinlesion.quiet import quiet

__all__ = ["Params", "start"]

_XLA_FLAG = "--xla_gpu_deterministic_ops=true"  # the CPU's are so anyway


class Params(Block):
    """Block `keras`: what the network runs on."""

    backend: Literal["tensorflow", "jax", "torch"]
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"]
    devices: Literal["one", "all"] = "one"  # for training; all others use one
    seed: int = Field(ge=0)

    @model_validator(mode="after")
    def _torch_has_one_device(self) -> "Params":
        if self.devices == "all" and self.backend == "torch":
            raise ValueError("a block with devices: one where backend is torch")
        return self


def start(p: Params) -> None:
    """Configure Keras. Call it before any array or layer is made.

    TensorFlow is loaded under every backend, by KerasCV and for the input pipeline; where it
    is not the backend, the GPUs are hidden from it, or it would claim their memory.

    Args:
        p: The block `keras`.

    Raises:
        InputError: Keras was imported with another backend.

    Source:
        https://www.tensorflow.org/api_docs/python/tf/config/experimental/enable_op_determinism,
        https://pytorch.org/docs/stable/notes/randomness.html
    """
    if keras.backend.backend() != p.backend:
        raise InputError(
            f"KERAS_BACKEND must be {p.backend}, the keras.backend of params.yaml, when Keras is "
            f"imported. Got {keras.backend.backend()!r} instead."
        )
    if p.backend == "jax" and _XLA_FLAG not in os.environ.get("XLA_FLAGS", ""):
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {_XLA_FLAG}".strip()
    with quiet():
        tf.config.list_physical_devices()
    if p.backend != "tensorflow":
        tf.config.set_visible_devices([], "GPU")
    tf.config.experimental.enable_op_determinism()
    if p.backend == "torch":
        _make_torch_deterministic()
    keras.utils.set_random_seed(p.seed)
    keras.mixed_precision.set_dtype_policy(p.precision)


def _make_torch_deterministic() -> None:
    import torch

    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read by its first product
    # An operation that only has a way that differs from run to run warns, rather than fails.
    torch.use_deterministic_algorithms(True, warn_only=True)
