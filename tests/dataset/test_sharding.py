"""dataset.sharding: all devices together do what one would, each an equal part of it."""

import numpy as np
import pytest

from skinlesion.dataset.sharding import WHOLE, Shard
from skinlesion.errors import InputError

DRAWN = [(64, 16), (63, 16), (62, 16), (61, 5), (3, 4), (1, 4), (100, 7)]  # draws, batch size
DEVICES = [(1, 1), (2, 1), (2, 2), (4, 1), (4, 2), (4, 4)]  # and processes
ALL = [(*drawn, *devices) for drawn in DRAWN for devices in DEVICES]


def shares(n_devices: int, n_processes: int) -> list[Shard]:
    return [Shard(n_devices, n_processes, process) for process in range(n_processes)]


def epoch(n_drawn: int) -> tuple[np.ndarray, np.ndarray]:
    """An order, and weights by index."""
    rng = np.random.default_rng(n_drawn)
    return rng.permutation(n_drawn), 1 + rng.random(n_drawn).astype(np.float32)


def joint(n_drawn: int, batch_size: int, *devices: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Each batch, put together from the parts of all processes."""
    of_each = [s.batches(*epoch(n_drawn), batch_size=batch_size) for s in shares(*devices)]
    return [
        tuple(map(np.concatenate, zip(*parts, strict=True))) for parts in zip(*of_each, strict=True)
    ]


# === An epoch ===


def test_draws_are_spread_evenly_and_batches_filled_up_with_their_first_ones():
    order, weight = epoch(61)
    batches = WHOLE.batches(order, weight, batch_size=16)
    [whole, *filled] = [part for part, _ in batches]

    assert np.array_equal(whole, order[:16])
    assert [part[15] for part in filled] == [part[0] for part in filled]
    assert np.array_equal(np.concatenate([part[:15] for part in filled]), order[16:])
    assert np.array_equal(batches[0][1], weight[order[:16]])


@pytest.mark.parametrize(("n_drawn", "batch_size", "n_devices", "n_processes"), ALL)
def test_batches_have_one_size_that_divides_evenly_and_no_draw_is_left_out(
    n_drawn, batch_size, n_devices, n_processes
):
    batches = joint(n_drawn, batch_size, n_devices, n_processes)
    own = [part[weight > 0] for part, weight in batches]
    counts = [len(part) for part in own]

    assert {len(part) for part, _ in batches} == {batch_size - batch_size % n_devices}
    assert max(counts) - min(counts) <= 1
    assert len(counts) == Shard(n_devices).n_batches(n_drawn, batch_size)
    assert np.array_equal(np.concatenate(own), epoch(n_drawn)[0])


@pytest.mark.parametrize("n_devices", [2, 4])
def test_processes_take_equal_parts_of_each_batch(n_devices):
    of_each = [s.batches(*epoch(61), batch_size=12) for s in shares(n_devices, n_devices)]
    counts = [[len(part) for part, _ in batches] for batches in of_each]

    assert counts == [counts[0]] * n_devices


@pytest.mark.parametrize(("n_drawn", "batch_size", "n_devices", "n_processes"), ALL)
def test_a_batch_that_is_filled_up_has_the_mean_loss_of_its_own_draws(
    n_drawn, batch_size, n_devices, n_processes
):
    _, weight = epoch(n_drawn)
    loss = np.random.default_rng(1).random(n_drawn)
    for part, weights in joint(n_drawn, batch_size, n_devices, n_processes):
        own = part[weights > 0]
        as_keras = np.sum(weights * loss[part]) / len(part)

        assert as_keras == pytest.approx(np.sum(weight[own] * loss[own]) / len(own), rel=1e-6)


def test_more_devices_than_lesions_in_a_batch_is_an_error():
    expected = r"train\.batch_size must give each of the 4 devices a lesion\. Got 3 instead"
    with pytest.raises(InputError, match=expected):
        Shard(4).batches(*epoch(9), batch_size=3)


# === Lesions that are scored ===


@pytest.mark.parametrize("n_processes", [1, 2, 3, 8])
@pytest.mark.parametrize("n_lesions", [1, 7, 24])
def test_each_lesion_is_scored_by_one_process(n_processes, n_lesions):
    rows = [s.rows(n_lesions) for s in shares(n_processes, n_processes)]

    assert np.array_equal(np.concatenate(rows), np.arange(n_lesions))
    assert max(map(len, rows)) == -(-n_lesions // n_processes)


@pytest.mark.parametrize(("n_devices", "n_processes"), DEVICES)
def test_a_process_scores_as_many_at_once_as_its_devices_train_on(n_devices, n_processes):
    n_largest = 33 // n_devices * n_devices
    [(part, _)] = Shard(n_devices, n_processes).batches(*epoch(n_largest), batch_size=33)

    assert Shard(n_devices, n_processes).per_process(33) == len(part)


def test_one_process_of_all_writes():
    assert [s.writes for s in shares(4, 4)] == [True, False, False, False]
