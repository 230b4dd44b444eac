"""Backbones of small networks, for the tests of several modules."""

import keras

from skinlesion.network import backbones, model


def backbone_of(p: model.Params, *, rescale: bool) -> keras.Model:
    """The backbone of the block `model`, with random weights."""
    given = {"stochastic_depth": p.stochastic_depth, "pooled_stages": p.pooled_stages}
    return backbones.build(p.backbone, p.image_px, rescale=rescale, **given)
