"""dataset.batches: every lesion once, with its own tile, features, target and weight."""

import os
import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import pytest

from skinlesion.dataset import batches, images
from skinlesion.errors import InputError

N = 23
IDS = np.array([f"ISIC_{i:07d}" for i in range(N)])


@pytest.fixture
def lesions(solid_tiles):
    """Lesion i has a tile of brightness 10 i, and the features i and -i."""
    tiles = solid_tiles({isic_id: 10 * i for i, isic_id in enumerate(IDS)})
    tabular = np.column_stack([np.arange(N), -np.arange(N)]).astype(np.float32)
    return batches.Lesions(IDS, tabular, tiles, image_px=32)


@pytest.fixture
def data(lesions):
    """Lesion 0 is drawn three times, the others once; weight and target tell the row."""
    rows = np.array([0, 0, *range(N)])
    return batches.Training(lesions, rows, (rows % 2).astype(np.float32), 1 + rows / 100)


def epoch_of(data, **changes):
    return list(batches.training(data, **{"batch_size": 8, "seed": 3, "epoch": 0} | changes))


def rows_of(epoch) -> list[int]:
    return np.concatenate([inputs["tabular"][:, 0] for inputs, _, _ in epoch]).astype(int).tolist()


def drawn(epoch) -> list[int]:
    """The rows of the draws: what fills a batch up has no weight."""
    weight = np.concatenate([weight for *_, weight in epoch])
    return np.array(rows_of(epoch))[weight > 0].tolist()


@pytest.mark.parametrize("batch_size", [1, 4, 7, 8, 25, 100])
def test_an_epoch_holds_every_draw_once_in_batches_of_one_size(data, batch_size):
    epoch = epoch_of(data, batch_size=batch_size)

    assert sorted(drawn(epoch)) == sorted(data.rows)
    assert len(epoch) == -(-len(data.rows) // batch_size)
    for inputs, y_true, weight in epoch:
        assert len(inputs["image"]) == len(y_true) == len(weight) == batch_size


def test_a_lesion_keeps_its_tile_features_target_and_weight(data):
    for inputs, y_true, weight in epoch_of(data):
        row = inputs["tabular"][:, 0]

        assert np.array_equal(inputs["tabular"][:, 1], -row)
        assert np.array_equal(
            inputs["image"], np.broadcast_to(10 * row[:, None, None, None], (len(row), 32, 32, 3))
        )
        assert np.array_equal(y_true, row % 2)
        own = weight > 0
        expected = (1 + row[own] / 100) * len(row) / own.sum()
        np.testing.assert_allclose(weight[own], expected, rtol=1e-6)


def test_the_same_seed_and_epoch_give_the_same_order(data):
    assert rows_of(epoch_of(data)) == rows_of(epoch_of(data))


@pytest.mark.parametrize("other", [{"epoch": 1}, {"seed": 4}])
def test_another_epoch_or_seed_gives_another_order(data, other):
    assert rows_of(epoch_of(data)) != rows_of(epoch_of(data, **other))


def test_an_unreadable_training_tile_is_an_error_that_names_the_lesion(data):
    del data.lesions.store.brightness[IDS[5]]
    with pytest.raises(images.ImageError, match="ISIC_0000005: it has no tile in memory"):
        epoch_of(data)


def test_scoring_keeps_the_order_and_fills_up_the_last_batch(lesions):
    found = list(batches.scoring(lesions, batch_size=8))
    tabular = np.concatenate([inputs["tabular"] for inputs, _ in found])

    assert [inputs["image"].shape for inputs, _ in found] == [(8, 32, 32, 3)] * 3
    assert [len(reasons) for _, reasons in found] == [8, 8, 7]
    assert np.array_equal(tabular, np.pad(lesions.tabular, [(0, 1), (0, 0)]))
    assert not found[-1][0]["image"][-1].any()


def test_tiles_are_uint8_until_the_network_scales_them(lesions):
    inputs, _ = next(batches.scoring(lesions, batch_size=4))

    assert (inputs["image"].dtype, inputs["tabular"].dtype) == (np.uint8, np.float32)


def test_scoring_no_lesions_yields_nothing(lesions):
    assert list(batches.scoring(batches.select(lesions, []), batch_size=4)) == []


def test_an_unreadable_tile_is_an_error_where_scoring_is_strict(lesions):
    del lesions.store.brightness[IDS[5]]
    with pytest.raises(images.ImageError, match="ISIC_0000005: it has no tile in memory"):
        list(batches.scoring(lesions, batch_size=4, strict=True))


def test_an_unreadable_tile_is_black_with_a_reason_where_scoring_is_not_strict(lesions):
    del lesions.store.brightness[IDS[5]]
    found = list(batches.scoring(lesions, batch_size=N, strict=False))
    [(inputs, reasons)] = found

    assert not inputs["image"][5].any()
    assert {i: reason for i, reason in enumerate(reasons) if reason} == {
        5: "ISIC_0000005: it has no tile in memory."
    }


@pytest.mark.parametrize(("left_out", "name"), [("store", "image"), ("tabular", "tabular")])
def test_an_input_that_the_lesions_lack_is_left_out(lesions, left_out, name):
    nothing = {"store": None, "tabular": np.empty((N, 0), np.float32)}
    given = {"isic_ids": IDS, "tabular": lesions.tabular, "store": lesions.store, "image_px": 32}
    some = batches.Lesions(**given | {left_out: nothing[left_out]})
    inputs, _ = next(batches.scoring(some, batch_size=4))

    assert inputs.keys() == {"image", "tabular"} - {name}


@pytest.mark.parametrize("rows", [[4, 2], np.arange(N) % 2 == 0])
def test_selected_lesions_keep_their_features(lesions, rows):
    some = batches.select(lesions, rows)

    assert np.array_equal(some.isic_ids, IDS[rows])
    assert np.array_equal(some.tabular, lesions.tabular[rows])
    assert len(some) == len(IDS[rows])


def test_a_plan_becomes_one_entry_per_epoch_with_its_repeats(lesions):
    draws = pd.DataFrame(
        {
            "epoch": [0, 0, 0, 1, 1],
            "isic_id": IDS[[3, 3, 1, 3, 2]],
            "weight": [0.5, 0.5, 2.0, 1.0, 1.0],
        }
    )
    first, second = batches.planned(lesions, np.arange(N) % 2, draws)

    assert first.rows.tolist() == [3, 3, 1]
    assert first.y_true.tolist() == [1, 1, 1]
    assert first.weight.tolist() == [0.5, 0.5, 2.0]
    assert second.rows.tolist() == [3, 2]
    assert second.y_true.tolist() == [1, 0]
    assert {first.weight.dtype, first.y_true.dtype} == {np.dtype(np.float32)}


def test_a_plan_that_names_an_unknown_lesion_is_an_error(lesions):
    draws = pd.DataFrame({"epoch": [0, 0], "isic_id": [IDS[0], "ISIC_9"], "weight": [1.0, 1.0]})
    with pytest.raises(InputError, match=r"lesions with tabular features\. Got ISIC_9\."):
        batches.planned(lesions, np.zeros(N), draws)


def test_iterators_that_are_given_up_leave_no_thread_behind_but_the_readers(lesions):
    before = threading.active_count()
    for _ in range(10):
        next(batches.scoring(lesions, batch_size=2))

    assert threading.active_count() <= before + batches.N_READERS


def test_a_tile_that_fails_in_a_way_unforeseen_is_not_taken_for_a_black_one(lesions):
    lesions.store.read = None
    with pytest.raises(TypeError):
        list(batches.scoring(lesions, batch_size=4, strict=False))


def test_no_more_tiles_are_read_at_once_than_this_process_may_use_processors():
    run = [sys.executable, "-c", "from skinlesion.dataset import batches; print(batches.N_READERS)"]
    env = os.environ | {"TF_NUM_INTRAOP_THREADS": "1"}

    assert subprocess.run(run, env=env, capture_output=True, text=True).stdout == "1\n"
