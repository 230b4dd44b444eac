"""The network: an image branch and a tabular branch that meet in one sigmoid."""

from collections.abc import Callable
from typing import Annotated, Literal

import keras
import numpy as np
from pydantic import Field, model_validator

from skinlesion.dataset import batches
from skinlesion.network import backbones, pooling
from skinlesion.params import Block

__all__ = ["Architecture", "Params", "apply", "build", "logits_of"]

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
    pool_sigma: Annotated[float, Field(ge=0.1, le=10)] | None = None
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
        n, found = backbones.n_stages(self.backbone), self.pooled_stages
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
    """
    p, inputs, branches = architecture.model, {}, []

    # === Image branch ===
    if p.backbone != "none":
        inputs["image"] = keras.Input((p.image_px, p.image_px, 3), name="image")
        features = pooling.pooled(_seen(inputs["image"], architecture), sigma=p.pool_sigma)
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
    run: Callable[[dict[str, np.ndarray]], np.ndarray], lesions: batches.Lesions, *, batch_size: int
) -> np.ndarray:
    """Compute the logits of lesions.

    Args:
        run: From a batch of inputs to logits, shape (batch_size, 1), such as `predict_on_batch`
            of what `logits_of` gives.
        lesions: Any number of them, with the features that it was trained on.
        batch_size: Lesions per step; the last one is filled up.

    Returns:
        Shape (n_lesions,), float64.

    Raises:
        images.ImageError: A tile cannot be read.
    """
    found = [np.empty(0)]
    for inputs, reasons in batches.scoring(lesions, batch_size=batch_size):
        found.append(np.asarray(run(inputs), np.float64)[: len(reasons), 0])
    return np.concatenate(found)


def _seen(
    tiles: keras.KerasTensor, architecture: Architecture
) -> keras.KerasTensor | list[keras.KerasTensor]:
    """Normalise tiles and run the backbone over them."""
    p = architecture.model
    backbone = backbones.build(
        p.backbone,
        p.image_px,
        stochastic_depth=p.stochastic_depth,
        pooled_stages=p.pooled_stages,
        rescale=not architecture.imagenet_input,
    )
    if architecture.imagenet_input:
        tiles = backbones.normalised(tiles, p.backbone)
    return backbone(tiles)


def _silence(network: keras.Model, architecture: Architecture, constant: tuple[int, ...]) -> None:
    p = architecture.model
    name = "tabular_dense_0" if p.tabular_units else "head_dense_0" if p.head_units else "logit"
    if constant:
        kernel, bias = network.get_layer(name).get_weights()
        # Where the features meet the image branch undigested, they are its last rows.
        kernel[[len(kernel) - architecture.n_features + i for i in constant]] = 0
        network.get_layer(name).set_weights([kernel, bias])
