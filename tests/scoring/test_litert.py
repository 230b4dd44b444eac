"""scoring.litert: a network in LiteRT's format, with any number of lesions."""

import numpy as np
import pytest

from skinlesion.network import model
from skinlesion.scoring import conversion, litert

pytestmark = pytest.mark.usefixtures("keras_started")


@pytest.fixture
def network(architecture):
    built, rng = model.build(architecture()), np.random.default_rng(0)
    built.set_weights([w + rng.uniform(0.1, 0.6, w.shape) for w in built.get_weights()])
    return conversion.with_features(model.logits_of(built))


def inputs(n: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    image = rng.integers(0, 256, (n, 32, 32, 3), np.uint8)
    return {"image": image, "tabular": rng.normal(size=(n, 2)).astype(np.float32)}


@pytest.mark.parametrize("n", [1, 31, 32, 33, 70])
def test_outputs_are_those_of_keras_in_their_order(network, n):
    given = inputs(n)
    found = litert.Network(conversion.litert(network), ["logit", "pooled"]).run(given)
    logit, pooled = network.predict_on_batch(given)

    np.testing.assert_allclose(found["logit"], logit, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found["pooled"], pooled, rtol=1e-5, atol=1e-5)


def test_it_says_what_it_takes(network):
    found = litert.Network(conversion.litert(network), ["logit", "pooled"])

    assert found.inputs == {"image": (32, 32, 3), "tabular": (2,)}


def test_what_is_no_network_is_an_error():
    with pytest.raises((ValueError, RuntimeError)):
        litert.Network(b"no network", ["logit"])
