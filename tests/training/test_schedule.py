"""training.schedule: the learning rate rises, falls and ends as the params say."""

from itertools import pairwise

import numpy as np
import pytest
from tests.recipes import params

from skinlesion.training import schedule


def rates(p: schedule.Params, n_steps: int = 40, steps_per_epoch: float = 10) -> list[float]:
    given = {"steps_per_epoch": steps_per_epoch, "n_steps": n_steps}
    return [schedule.learning_rate(p, step=step, **given) for step in range(n_steps)]


@pytest.mark.parametrize("kind", ["constant", "cosine", "exponential"])
@pytest.mark.parametrize("warmup_epochs", [0.0, 1.0, 1.5])
def test_the_rate_rises_to_its_peak_and_never_rises_again(kind, warmup_epochs):
    p = params(schedule=kind, warmup_epochs=warmup_epochs)
    found, n_warmup = rates(p), round(10 * warmup_epochs)
    warmup, rest = found[: n_warmup + 1], found[n_warmup:]

    assert all(a < b for a, b in pairwise(warmup))
    assert rest[0] == max(found) == pytest.approx(p.learning_rate)
    assert all(a >= b for a, b in pairwise(rest))


def test_warm_up_is_linear_from_above_0():
    found = rates(params(warmup_epochs=1.0))[:11]

    np.testing.assert_allclose(np.diff(found, prepend=0), 3e-2 / 11)


@pytest.mark.parametrize(("kind", "end"), [("constant", 1), ("cosine", 0.1), ("exponential", 0.1)])
def test_the_rate_ends_at_the_final_fraction(kind, end):
    assert rates(params(schedule=kind, warmup_epochs=1.0))[-1] == pytest.approx(3e-2 * end)


def test_an_exponential_rate_falls_by_the_same_factor_each_step():
    found = np.array(rates(params(schedule="exponential")))

    np.testing.assert_allclose(found[1:] / found[:-1], 0.1 ** (1 / 39))


@pytest.mark.parametrize("kind", ["constant", "cosine", "exponential"])
@pytest.mark.parametrize("warmup_epochs", [0.0, 1.0, 100.0])
def test_the_rate_of_the_shortest_training_is_positive(kind, warmup_epochs):
    p = params(schedule=kind, warmup_epochs=warmup_epochs)

    assert all(0 < rate <= p.learning_rate for n in (1, 2, 3) for rate in rates(p, n, 1))
