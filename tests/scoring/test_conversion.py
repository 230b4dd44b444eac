"""scoring.conversion: the same weights give the same bytes, in whole or in half."""

import numpy as np
import pytest

from skinlesion.network import model
from skinlesion.scoring import conversion, litert

pytestmark = pytest.mark.usefixtures("keras_started")


@pytest.fixture
def logits(architecture):
    """Make a network up to its logit."""

    def make(**changes):
        built, rng = model.build(architecture(**changes)), np.random.default_rng(0)
        built.set_weights([w + rng.uniform(0.1, 0.6, w.shape) for w in built.get_weights()])
        return model.logits_of(built)

    return make


def test_the_same_weights_give_the_same_bytes(logits):
    network = conversion.with_features(logits())

    assert conversion.litert(network) == conversion.litert(network)


def test_a_network_of_the_table_alone_has_no_features_of_a_tile(logits):
    network = logits(backbone="none")

    assert conversion.with_features(network) is network


def test_weights_in_half_the_bytes_score_nearly_the_same(logits):
    network, rng = logits(tabular_units=[2000]), np.random.default_rng(0)
    whole, half = (conversion.litert(network, float16=x) for x in (False, True))
    given = {"image": rng.integers(0, 256, (4, 32, 32, 3), np.uint8)}
    given["tabular"] = rng.normal(size=(4, 2)).astype(np.float32)
    one, other = (litert.Network(c).run(given, 4) for c in (whole, half))

    assert len(half) < 0.8 * len(whole)
    assert 0 < abs(one - other).max() < 0.01 * abs(one).max()
