"""Backbones: the architectures of KerasCV that a tile goes through, built from their arguments."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import keras_cv
import numpy as np

__all__ = ["BACKBONES", "build", "n_stages", "normalised"]

# Stages of the architectures, from the EfficientNetV2 paper. Every KerasCV preset, even one
# without weights, would be fetched from the network the moment it is named.
_B = {
    "stackwise_kernel_sizes": [3] * 6,
    "stackwise_num_repeats": [1, 2, 2, 3, 5, 8],
    "stackwise_input_filters": [32, 16, 32, 48, 96, 112],
    "stackwise_output_filters": [16, 32, 48, 96, 112, 192],
    "stackwise_expansion_ratios": [1, 4, 4, 4, 6, 6],
    "stackwise_squeeze_and_excite_ratios": [0, 0, 0, 0.25, 0.25, 0.25],
    "stackwise_strides": [1, 2, 2, 2, 1, 2],
    "stackwise_conv_types": ["fused"] * 3 + ["unfused"] * 3,
}
_S = _B | {
    "stackwise_num_repeats": [2, 4, 4, 6, 9, 15],
    "stackwise_input_filters": [24, 24, 48, 64, 128, 160],
    "stackwise_output_filters": [24, 48, 64, 128, 160, 256],
}
_TINY = {
    "stackwise_kernel_sizes": [3] * 3,
    "stackwise_num_repeats": [1, 1, 1],
    "stackwise_input_filters": [16, 16, 24],
    "stackwise_output_filters": [16, 24, 32],
    "stackwise_expansion_ratios": [1, 2, 2],
    "stackwise_squeeze_and_excite_ratios": [0, 0, 0.25],
    "stackwise_strides": [1, 2, 2],
    "stackwise_conv_types": ["fused", "fused", "unfused"],
}
# Of EfficientNet-Lite, which has no squeeze and excitation: https://github.com/tensorflow/tpu,
# models/official/efficientnet/lite.
_LITE = {
    "stackwise_kernel_sizes": [3, 3, 5, 3, 5, 5, 3],
    "stackwise_num_repeats": [1, 2, 2, 3, 3, 4, 1],
    "stackwise_input_filters": [32, 16, 24, 40, 80, 112, 192],
    "stackwise_output_filters": [16, 24, 40, 80, 112, 192, 320],
    "stackwise_expansion_ratios": [1, 6, 6, 6, 6, 6, 6],
    "stackwise_strides": [1, 2, 2, 2, 1, 2, 1],
}
_NONE: dict[str, list[int]] = {"stackwise_strides": []}
# name: (stages, width, depth)
BACKBONES: dict[str, tuple[Mapping[str, Any], float, float]] = {
    "tiny": (_TINY, 0.05, 1.0),
    "efficientnetv2_b0": (_B, 1.0, 1.0),
    "efficientnetv2_b1": (_B, 1.0, 1.1),
    "efficientnetv2_b2": (_B, 1.1, 1.2),
    "efficientnetv2_b3": (_B, 1.2, 1.4),
    "efficientnetv2_s": (_S, 1.0, 1.0),
    "efficientnet_lite0": (_LITE, 1.0, 1.0),
    "efficientnet_lite1": (_LITE, 1.0, 1.1),
    "efficientnet_lite2": (_LITE, 1.1, 1.2),
}


def n_stages(name: str) -> int:
    """Count the stages of a backbone.

    Args:
        name: A key of BACKBONES; 0 for any other.
    """
    stages, *_ = BACKBONES.get(name, (_NONE,))
    return len(stages["stackwise_strides"])


def build(
    name: str,
    px: int,
    *,
    stochastic_depth: float,
    pooled_stages: Sequence[int] | None,
    rescale: bool,
) -> keras.Model:
    """Build a KerasCV backbone, with random weights.

    Args:
        name: A key of BACKBONES.
        px: Width and height of its tiles, in pixels.
        stochastic_depth: How often the last block is left out in training; earlier ones less.
        pooled_stages: The stages, from 1, whose outputs are wanted; None: what the whole gives.
        rescale: Whether the backbone divides its input by 255.

    Returns:
        From shape (n, px, px, 3) to features of shape (n, px / 32, px / 32, n_filters), the
        "tiny" one px / 8. With pooled_stages, to a list of what these stages give; the layers
        behind the last of them are left out.

    Source:
        Tan and Le (2021), https://arxiv.org/abs/2104.00298; stochastic depth: Huang et al. (2016),
        https://arxiv.org/abs/1603.09382
    """
    stages, width, depth = BACKBONES[name]
    is_lite = stages is _LITE
    models, rate = keras_cv.models, "drop_connect_rate" if is_lite else "skip_connection_dropout"
    whole = (models.EfficientNetLiteBackbone if is_lite else models.EfficientNetV2Backbone)(
        **stages,
        **{rate: stochastic_depth},
        width_coefficient=width,
        depth_coefficient=depth,
        include_rescaling=rescale,
        # Without its size, KerasCV pads the Lite ones wrongly where the side is no multiple of 32.
        input_shape=(px, px, 3),
        name="backbone",
    )
    if pooled_stages is None:
        return whole
    ends = [_end(whole, stage).output for stage in pooled_stages]
    return keras.Model(whole.input, ends, name="backbone")


def normalised(images: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Normalise tiles as the training of the published weights of a backbone did.

    Args:
        images: 0 to 255.
        name: A key of BACKBONES.
    """
    if name.startswith("efficientnet_lite"):
        return keras.layers.Rescaling(1 / 128, offset=-127 / 128, name="image_normalisation")(
            images
        )
    if name == "efficientnetv2_s":
        return keras.layers.Rescaling(1 / 128, offset=-1, name="image_normalisation")(images)
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    scale = keras.layers.Rescaling(
        list(1 / (255 * std)), list(-mean / std), name="image_normalisation"
    )
    return scale(images)


def _end(backbone: keras.Model, stage: int) -> keras.Layer:
    """Find the last layer of a stage, from 1; KerasCV calls its blocks block1a_, block1b_, ..."""
    return [layer for layer in backbone.layers if layer.name.startswith(f"block{stage}")][-1]
