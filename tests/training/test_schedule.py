"""training.schedule: the learning rate rises, falls and ends as the params say."""

from itertools import pairwise

import numpy as np
import pytest
from pydantic import ValidationError
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


@pytest.mark.parametrize(("n_frozen", "expected"), [(0, [4] * 4), (1, [1, 3, 3, 3]), (4, [4] * 4)])
def test_each_phase_has_a_learning_rate_of_its_own(n_frozen, expected):
    p = params(n_epochs=4, frozen_epochs=n_frozen, schedule="cosine")
    found = [schedule.phase(p, epoch) for epoch in range(4)]

    assert [of.n_epochs for _, of in found] == expected
    assert all(epoch in epochs for epoch, (epochs, _) in enumerate(found))
    kinds = [of.schedule for _, of in found]
    assert kinds == ["constant"] * n_frozen + ["cosine"] * (4 - n_frozen)


def test_without_frozen_epochs_a_training_is_one_phase():
    p = params()

    assert schedule.phase(p, 0) == (range(p.n_epochs), p)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"select": "last", "early_stopping_patience": 2}, "patience: null where select is last"),
        ({"frozen_epochs": 4}, "frozen_epochs are among its n_epochs"),
        ({"fitted": "head", "n_seeds": 2}, "n_seeds: 1 where fitted is head"),
    ],
)
def test_params_that_contradict_each_other_are_refused(changes, expected):
    with pytest.raises(ValidationError, match=expected):
        params(**changes)
