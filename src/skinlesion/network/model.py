"""The network: an image branch and a tabular branch that meet in one sigmoid."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

import keras
import keras_cv
import numpy as np
from pydantic import Field, model_validator

from skinlesion.dataset import batches
from skinlesion.params import Block

__all__ = ["BACKBONES", "Architecture", "Params", "apply", "backbone", "build", "logits_of"]

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
Units = Annotated[int, Field(ge=1)]


class Params(Block):
    """Block `model`: the architecture."""

    backbone: Literal[
        "none",
        "tiny",
        "efficientnetv2_b0",
        "efficientnetv2_b1",
        "efficientnetv2_b2",
        "efficientnetv2_b3",
        "efficientnetv2_s",
        "efficientnet_lite0",
        "efficientnet_lite1",
        "efficientnet_lite2",
    ]
    weights: str
    image_px: int = Field(ge=32, le=1024)
    image_dropout: float = Field(ge=0, lt=1)
    stochastic_depth: float = Field(0.2, ge=0, lt=1)  # what KerasCV takes where it is not told
    pooled_stages: Annotated[list[Units], Field(min_length=1)] | None = None
    tabular_units: list[Units]
    tabular_dropout: float = Field(ge=0, lt=1)
    head_units: list[Units]

    @model_validator(mode="after")
    def _weights_need_a_backbone(self) -> "Params":
        if self.weights != "none" and self.backbone in ("none", "tiny"):
            raise ValueError("a block with weights: none where the backbone is none or tiny")
        return self

    @model_validator(mode="after")
    def _stages_exist(self) -> "Params":
        if self.pooled_stages is None:
            return self
        stages, *_ = BACKBONES.get(self.backbone, (_NONE,))
        n = len(stages["stackwise_strides"])
        found = self.pooled_stages
        if found != sorted(set(found)) or found[-1] > n:
            raise ValueError(f"a block whose pooled_stages rise, and whose backbone has {n}")
        return self


class Architecture(Block):
    """The arguments of `build`: the block `model`, and what follows from the data."""

    model: Params
    n_features: int = Field(ge=0)
    imagenet_input: bool


def build(architecture: Architecture, *, constant: tuple[int, ...] = ()) -> keras.Model:
    """Build the network, with random weights.

    Args:
        architecture: The branches. n_features 0 leaves the tabular branch out, backbone
            "none" the image branch. With imagenet_input the tiles are normalised as the
            published weights expect it, otherwise divided by 255 by the backbone.
        constant: Indices of features that never vary in training. Their weights start, and so
            stay, at zero: a category that training never saw must not add random noise.

    Returns:
        From "image", shape (n, px, px, 3), 0 to 255, and "tabular", shape (n, n_features),
        whichever exist, to the score, shape (n, 1), in (0, 1).

    Raises:
        ValueError: There is neither a backbone nor a feature.

    Source:
        Tan and Le (2021), https://arxiv.org/abs/2104.00298; stochastic depth: Huang et al. (2016),
        https://arxiv.org/abs/1603.09382
    """
    p, inputs, branches = architecture.model, {}, []

    # === Image branch ===
    if p.backbone != "none":
        inputs["image"] = keras.Input((p.image_px, p.image_px, 3), name="image")
        images = _normalised(inputs["image"], p) if architecture.imagenet_input else inputs["image"]
        features = _pooled(backbone(p, rescale=not architecture.imagenet_input)(images))
        branches.append(keras.layers.Dropout(p.image_dropout, name="image_dropout")(features))

    # === Tabular branch ===
    if architecture.n_features:
        inputs["tabular"] = keras.Input((architecture.n_features,), name="tabular")
        features = inputs["tabular"]
        for i, units in enumerate(p.tabular_units):
            features = keras.layers.Dense(units, "relu", name=f"tabular_dense_{i}")(features)
            features = keras.layers.Dropout(p.tabular_dropout, name=f"tabular_dropout_{i}")(
                features
            )
        branches.append(features)

    # === Head ===
    if not branches:
        raise ValueError("the network must have a backbone or a tabular feature. Got neither.")
    joined = keras.layers.Concatenate(name="join")(branches) if len(branches) > 1 else branches[0]
    for i, units in enumerate(p.head_units):
        joined = keras.layers.Dense(units, "relu", name=f"head_dense_{i}")(joined)
    logits = keras.layers.Dense(1, dtype="float32", name="logit")(joined)
    score = keras.layers.Activation("sigmoid", dtype="float32", name="score")(logits)
    network = keras.Model(inputs, score, name="skinlesion")
    _silence(network, architecture, constant)
    return network


def backbone(p: Params, *, rescale: bool) -> keras.Model:
    """Build the KerasCV backbone from its arguments.

    Args:
        p: The block `model`; its backbone is not "none".
        rescale: Whether the backbone divides its input by 255.

    Returns:
        From shape (n, px, px, 3) to features of shape (n, px / 32, px / 32, n_filters), the
        "tiny" one px / 8. With pooled_stages, to a list of what these stages give; the layers
        behind the last of them are left out.
    """
    stages, width, depth = BACKBONES[p.backbone]
    is_lite = stages is _LITE
    models, rate = keras_cv.models, "drop_connect_rate" if is_lite else "skip_connection_dropout"
    whole = (models.EfficientNetLiteBackbone if is_lite else models.EfficientNetV2Backbone)(
        **stages,
        **{rate: p.stochastic_depth},
        width_coefficient=width,
        depth_coefficient=depth,
        include_rescaling=rescale,
        # Without its size, KerasCV pads the Lite ones wrongly where the side is no multiple of 32.
        input_shape=(p.image_px, p.image_px, 3),
        name="backbone",
    )
    if p.pooled_stages is None:
        return whole
    ends = [_end(whole, stage).output for stage in p.pooled_stages]
    return keras.Model(whole.input, ends, name="backbone")


def logits_of(network: keras.Model) -> keras.Model:
    """Return the network up to its logit; the two share their weights.

    Args:
        network: From `build`.

    Returns:
        From the same inputs to the logit, shape (n, 1), unbounded. It is what is trained and
        averaged: a sigmoid in float32 is 1 above a logit of 17, which would tie the riskiest.
    """
    return keras.Model(network.input, network.get_layer("logit").output, name="logits")


def apply(
    run: Callable[[dict[str, np.ndarray]], np.ndarray],
    lesions: batches.Lesions,
    *,
    batch_size: int,
    strict: bool = True,
    on_batch: Callable[[int], object] = lambda n_lesions: None,
) -> tuple[np.ndarray, list[str]]:
    """Compute the logits of lesions.

    Args:
        run: From a batch of inputs to logits, shape (batch_size, 1), such as `predict_on_batch`
            of what `logits_of` gives.
        lesions: Any number of them, with the features that it was trained on.
        batch_size: Lesions per step; the last one is filled up.
        strict: Whether a tile that cannot be read is an error.
        on_batch: Called after each batch with its number of lesions, to show progress.

    Returns:
        Logits, shape (n_lesions,), float64, NaN where the tile cannot be read; and one string
        per lesion, "" or why its tile cannot be read.

    Raises:
        images.ImageError: A tile cannot be read and `strict` holds.
    """
    found, reasons = [np.empty(0)], []
    for inputs, unread in batches.scoring(lesions, batch_size=batch_size, strict=strict):
        out = np.asarray(run(inputs), np.float64)[: len(unread), 0]
        found.append(np.where([reason != "" for reason in unread], np.nan, out))
        reasons += unread
        on_batch(len(unread))
    return np.concatenate(found), reasons


def _end(backbone: keras.Model, stage: int) -> keras.Layer:
    """Find the last layer of a stage, from 1; KerasCV calls its blocks block1a_, block1b_, ..."""
    return [layer for layer in backbone.layers if layer.name.startswith(f"block{stage}")][-1]


def _pooled(features: keras.KerasTensor | list[keras.KerasTensor]) -> keras.KerasTensor:
    """Average features over the tile; those of several stages stand side by side."""
    pool = keras.layers.GlobalAveragePooling2D
    if not isinstance(features, list):
        return pool(name="image_pool")(features)
    if len(features) == 1:
        return pool(name="image_pool")(features[0])
    pooled = [pool(name=f"image_pool_{i}")(of) for i, of in enumerate(features)]
    return keras.layers.Concatenate(name="image_pool")(pooled)


def _normalised(images: keras.KerasTensor, p: Params) -> keras.KerasTensor:
    """Normalise tiles as the training of the published weights did."""
    if p.backbone.startswith("efficientnet_lite"):
        return keras.layers.Rescaling(1 / 128, offset=-127 / 128, name="image_normalisation")(
            images
        )
    if p.backbone == "efficientnetv2_s":
        return keras.layers.Rescaling(1 / 128, offset=-1, name="image_normalisation")(images)
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    scale = keras.layers.Rescaling(
        list(1 / (255 * std)), list(-mean / std), name="image_normalisation"
    )
    return scale(images)


def _silence(network: keras.Model, architecture: Architecture, constant: tuple[int, ...]) -> None:
    p = architecture.model
    name = "tabular_dense_0" if p.tabular_units else "head_dense_0" if p.head_units else "logit"
    if constant:
        kernel, bias = network.get_layer(name).get_weights()
        # Where the features meet the image branch undigested, they are its last rows.
        kernel[[len(kernel) - architecture.n_features + i for i in constant]] = 0
        network.get_layer(name).set_weights([kernel, bias])
