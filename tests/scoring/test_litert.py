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
    found = litert.Network(conversion.litert(network)).run(given, n)
    expected = np.hstack(network.predict_on_batch(given))

    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_what_stands_behind_the_lesions_or_is_not_read_changes_nothing(network):
    given, run = inputs(40), litert.Network(conversion.litert(network)).run
    expected = run({name: values[:33] for name, values in given.items()}, 33)

    np.testing.assert_array_equal(run({**given, "more": None}, 33), expected)


def test_what_is_no_network_is_an_error():
    with pytest.raises((ValueError, RuntimeError)):
        litert.Network(b"no network")
