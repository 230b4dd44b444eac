"""network.backbones: their sizes, how blocks are left out, and what they do to tiles."""

import keras
import numpy as np
import pytest
from tests.networks import backbone_of

from skinlesion.network import backbones, model

pytestmark = pytest.mark.usefixtures("keras_started")


def test_b2_has_the_size_of_its_preset(architecture):
    # tests/network/test_pretrained.py compares b0 and s with the published networks.
    p = architecture(backbone="efficientnetv2_b2").model

    assert backbone_of(p, rescale=True).count_params() == 8_769_374


def skips(network: keras.Model) -> list[float]:
    """The rates at which the blocks of a backbone are left out, in their order."""
    layers = network._flatten_layers(include_self=False)
    return [of.rate for of in layers if isinstance(of, keras.layers.Dropout)]


@pytest.mark.parametrize("backbone", ["tiny", "efficientnet_lite0"])
def test_blocks_are_left_out_more_often_the_deeper_they_lie(architecture, backbone):
    rates = skips(backbone_of(architecture(backbone=backbone).model, rescale=True))
    half = architecture(backbone=backbone, stochastic_depth=0.1).model
    never = architecture(backbone=backbone, stochastic_depth=0.0).model

    assert rates == sorted(rates)
    assert 0.1 < rates[-1] < 0.2
    assert skips(backbone_of(half, rescale=True)) == pytest.approx(np.divide(rates, 2))
    assert skips(backbone_of(never, rescale=True)) == []


def test_every_backbone_of_the_params_can_be_built():
    names = set(model.Params.model_fields["backbone"].annotation.__args__)

    assert names == backbones.BACKBONES.keys() | {"none"}


def test_tiles_are_divided_by_255_once(architecture):
    p = architecture().model
    scaling, plain = backbone_of(p, rescale=True), backbone_of(p, rescale=False)
    plain.set_weights(scaling.get_weights())
    x = np.random.default_rng(0).uniform(0, 1, (4, 32, 32, 3)).astype(np.float32)

    np.testing.assert_allclose(scaling(255 * x), plain(x), rtol=1e-4, atol=1e-6)
    assert not np.allclose(scaling(x), plain(x), rtol=1e-2)


def test_stages_are_counted_and_an_unknown_backbone_has_none():
    assert [backbones.n_stages(n) for n in ("tiny", "efficientnet_lite0", "none")] == [3, 7, 0]
