"""training.optimizer: AdamW, slower for some variables, and the average of the weights."""

import keras
import numpy as np
import pytest
from tests.networks import backbone_of
from tests.recipes import params

from skinlesion.training import optimizer

pytestmark = pytest.mark.usefixtures("keras_started")

RNG = np.random.default_rng(0)
START = [RNG.normal(size=(3, 2)).astype(np.float32), RNG.normal(size=2).astype(np.float32)]
GRADIENTS = [[RNG.normal(size=of.shape).astype(np.float32) for of in START] for _ in range(12)]


def path(of: keras.optimizers.Optimizer) -> list[list[np.ndarray]]:
    """The variables after each step."""
    variables = [keras.Variable(value, name=f"v{i}") for i, value in enumerate(START)]
    found = []
    for gradients in GRADIENTS:
        of.apply([keras.ops.convert_to_tensor(g) for g in gradients], variables)
        found.append([keras.ops.convert_to_numpy(v).copy() for v in variables])
    return found


def own(**changes) -> optimizer.AdamW:
    return optimizer.AdamW(0.1, **{"decay": 0.01, "momentum": None} | changes)


def assert_close(found, expected) -> None:
    for one, two in zip(found, expected, strict=True):
        for a, b in zip(one, two, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_at_the_same_rate_for_all_it_is_adamw():
    assert_close(path(own()), path(keras.optimizers.AdamW(0.1, weight_decay=0.01)))


def test_a_slow_variable_moves_as_at_a_fraction_of_the_rate():
    mixed = path(own(fraction=0.1, is_slow=lambda v: v.name == "v0"))
    fast, slow = path(own()), path(keras.optimizers.AdamW(0.01, weight_decay=0.01))

    assert_close(mixed, [[s[0], f[1]] for s, f in zip(slow, fast, strict=True)])


@pytest.mark.parametrize("momentum", [0.5, 0.999])
def test_the_average_follows_the_weights_and_changes_nothing_else(momentum):
    with_average = own(momentum=momentum)
    steps = path(with_average)
    assert_close(steps, path(own()))
    for i, average in enumerate(with_average.averages):
        expected = np.zeros_like(START[i])
        for t, weights in enumerate(steps):
            kept = min(momentum, t / (t + 9))
            expected = kept * expected + (1 - kept) * weights[i]
        np.testing.assert_allclose(keras.ops.convert_to_numpy(average), expected, rtol=1e-4)


def test_averages_are_part_of_the_optimizers_state():
    variables = [keras.Variable(value) for value in START]
    with_average, without = own(momentum=0.9), own()
    with_average.build(variables)
    without.build(variables)

    assert len(with_average.variables) == len(without.variables) + len(variables)


@pytest.fixture
def compiled(architecture):
    """Make a network that has taken some steps."""
    from skinlesion.network import model

    def make(**changes) -> keras.Model:
        logits = model.logits_of(model.build(architecture(backbone="none")))
        logits.compile(optimizer.make(params(**changes), 0.1, None), "mse")
        logits.fit({"tabular": np.ones((8, 2))}, np.arange(8.0), verbose=0, epochs=3)
        return logits

    return make


def test_averages_take_the_place_of_the_weights_and_give_it_back(compiled):
    logits = compiled(average_momentum=0.9)
    before = logits.get_weights()
    with optimizer.averaged(logits):
        within = logits.get_weights()

    averages = [keras.ops.convert_to_numpy(a) for a in logits.optimizer.averages]
    assert all(np.array_equal(a, b) for a, b in zip(within, averages, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(within, before, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(before, logits.get_weights(), strict=True))


def test_weights_come_back_after_an_error(compiled):
    logits = compiled(average_momentum=0.9)
    before = logits.get_weights()
    with pytest.raises(KeyError), optimizer.averaged(logits):
        raise KeyError

    assert all(np.array_equal(a, b) for a, b in zip(before, logits.get_weights(), strict=True))


def test_without_averages_the_weights_stay(compiled):
    logits = compiled()
    before = logits.get_weights()
    with optimizer.averaged(logits):
        assert all(np.array_equal(a, b) for a, b in zip(before, logits.get_weights(), strict=True))


def test_keras_own_optimizer_is_taken_where_it_can_do_all(architecture):

    backbone = backbone_of(architecture().model, rescale=True)
    plain = optimizer.make(params(), 0.1, backbone)
    slow = optimizer.make(params(backbone_rate=0.1), 0.1, backbone)

    assert type(plain) is keras.optimizers.AdamW
    assert all(slow.is_slow(variable) for variable in backbone.trainable_variables)
    assert not slow.is_slow(keras.Variable(0.0, name="kernel"))
