"""Published ImageNet weights, carried over to the KerasCV backbone.

EfficientNetV2's are those of keras.applications; EfficientNet-Lite's are in `lite`.
"""

import os
import warnings
from pathlib import Path

import keras

from skinlesion.errors import InputError
from skinlesion.network import backbones, lite, model

__all__ = ["PUBLISHED", "carry_over", "initialise", "locate", "original"]

_ADDRESS = "https://storage.googleapis.com/tensorflow/keras-applications/efficientnet_v2/"
# backbone: (keras.applications' constructor, variant, MD5 as keras.applications pins it)
PUBLISHED = {
    "efficientnetv2_b0": ("EfficientNetV2B0", "b0", "893217f2bb855e2983157299931e43ff"),
    "efficientnetv2_b1": ("EfficientNetV2B1", "b1", "0e80663031ca32d657f9caa404b6ec37"),
    "efficientnetv2_b2": ("EfficientNetV2B2", "b2", "1dfe2e7a5d45b6632553a8961ea609eb"),
    "efficientnetv2_b3": ("EfficientNetV2B3", "b3", "f6abf7b5849ac99a89b50dd3fd532856"),
    "efficientnetv2_s": ("EfficientNetV2S", "s", "af0682fb74e8c54910f2d4393339c070"),
}

# Attribute of a KerasCV block: end of the name of its twin in keras.applications. The
# depthwise convolution exists in unfused blocks only, which name their last one project_bn
# as fused ones do.
_BLOCK = {
    "conv1": "expand_conv",
    "bn1": "expand_bn",
    "depthwise": "dwconv2",
    "bn2": "bn",
    "se_conv1": "se_reduce",
    "se_conv2": "se_expand",
    "output_conv": "project_conv",
    "bn3": "project_bn",
}


def initialise(network: keras.Model, p: model.Params) -> None:
    """Initialise a network's backbone with the weights that `p.weights` names.

    Args:
        network: From `model.build`, with imagenet_input unless p.weights is "none"; changed
            in place.
        p: The block `model`.

    Raises:
        InputError: As for `locate`, `original` and `lite.tensors`.
    """
    if p.weights == "none":
        return
    path = locate(p.weights, p.backbone)
    whole = backbones.build(
        p.backbone,
        p.image_px,
        stochastic_depth=p.stochastic_depth,
        pooled_stages=None,
        rescale=False,
    )
    if p.backbone in lite.PUBLISHED:
        _carry_over_lite(path, whole, p.backbone)
    else:
        carry_over(original(p.backbone, p.image_px, path), whole)
    for layer in network.get_layer("backbone").layers:
        if layer.weights:
            layer.set_weights(whole.get_layer(layer.name).get_weights())


def locate(weights: str, backbone: str) -> Path:
    """Return the file of weights; the published one is downloaded once, or in a package.

    Args:
        weights: "imagenet", or the path of a file made by keras.applications; of Lite, by PyTorch.
        backbone: A key of PUBLISHED, or of that of `lite`.

    Returns:
        The path of an existing file. The published one's checksum is checked.

    Raises:
        InputError: There is no such file, or it can neither be found in Keras' cache nor
            downloaded, or its checksum differs; or as for `lite.locate`.
    """
    if weights != "imagenet":
        if not Path(weights).is_file():
            raise InputError(f"model.weights must be none, imagenet or a file. Got {weights!r}.")
        return Path(weights)
    if backbone in lite.PUBLISHED:
        return lite.locate(backbone)
    _, variant, md5 = PUBLISHED[backbone]
    name = f"efficientnetv2-{variant}_notop.h5"
    cache = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    try:
        path = keras.utils.get_file(
            name, _ADDRESS + name, cache_dir=str(cache), cache_subdir="models", file_hash=md5
        )
    except Exception as error:  # urllib's and Keras' own have no common base
        raise InputError(
            f"model.weights: imagenet needs {name} (MD5 {md5}). It could not be had: {error}. "
            f"Download {_ADDRESS}{name} elsewhere and put it at {cache / 'models' / name}."
        ) from None
    return Path(path)


def original(backbone: str, image_px: int, weights: Path | None = None) -> keras.Model:
    """Build the keras.applications twin of a backbone, without its own preprocessing.

    Args:
        backbone: A key of PUBLISHED.
        image_px: Width and height of its input, in pixels.
        weights: A file of weights of this very architecture; random weights when None.

    Returns:
        From normalised images, shape (n, px, px, 3), to features.

    Raises:
        InputError: The file holds the weights of another architecture, or none.
    """
    make = getattr(keras.applications, PUBLISHED[backbone][0])
    shape = (image_px, image_px, 3)
    twin = make(include_top=False, weights=None, include_preprocessing=False, input_shape=shape)
    if weights is None:
        return twin
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one for each layer that the file lacks
            twin.load_weights(weights)
    except (ValueError, OSError, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{weights} must hold the weights of {backbone}. {reason}") from None
    return twin


def carry_over(twin: keras.Model, backbone: keras.Model) -> None:
    """Copy all weights of a keras.applications network to its KerasCV counterpart.

    Args:
        twin: From `original`.
        backbone: From `model.backbone`, of the same architecture; changed in place.

    Raises:
        ValueError: A layer of one has no counterpart in the other, or of another shape.
    """
    left = {layer.name for layer in twin.layers if layer.weights}
    for target, name in _pairs(backbone):
        target.set_weights(twin.get_layer(name).get_weights())
        left.remove(name)
    if left:
        raise ValueError(f"all layers must be carried over. Got {sorted(left)} left.")


def _carry_over_lite(path: Path, backbone: keras.Model, name: str) -> None:
    given = lite.tensors(path, name)
    try:
        lite.carry_over(given, backbone)
    except ValueError as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path} must hold the weights of {name}. {reason}") from None


def _pairs(backbone: keras.Model) -> list[tuple[keras.Layer, str]]:
    pairs = []
    for layer in backbone.layers:
        parts = {a: n for a, n in _BLOCK.items() if getattr(getattr(layer, a, None), "weights", [])}
        pairs += [(getattr(layer, a), layer.name + n) for a, n in parts.items()]
        if layer.weights and not parts:
            pairs.append((layer, layer.name))  # stem and top have the same names in both
    return pairs
