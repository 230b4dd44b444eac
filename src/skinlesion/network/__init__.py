"""The network: its backend, layers, augmentation and weights; a trained one as a folder.

May import features, dataset and the ground.

Keras takes its backend from the variable KERAS_BACKEND when it is imported, which happens here.
dvc.yaml sets the variable for each stage that has a network, from params.yaml; `backend.start`
compares the two. Where there is no such backend, or it is not installed, the program ends with
code 1 and one line.
"""

import importlib.util
import os

from skinlesion.quiet import quiet

BACKENDS = ("tensorflow", "jax", "torch")


def _import_keras() -> None:
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    if backend not in BACKENDS:
        raise SystemExit(
            f"error: KERAS_BACKEND, the keras.backend of params.yaml, must be one of "
            f"{', '.join(BACKENDS)}. Got {backend!r} instead."
        )
    if importlib.util.find_spec(backend) is None:
        raise SystemExit(
            f"error: KERAS_BACKEND, the keras.backend of params.yaml, must be installed. "
            f"Got {backend!r}, which is not: pip install {backend}"
        )
    with quiet():
        importlib.import_module("tensorflow")
        importlib.import_module("keras")


_import_keras()
