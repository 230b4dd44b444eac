"""dataset.views: every way to lay a tile down, each once."""

import numpy as np
import pytest

from skinlesion.dataset import views

TILES = np.random.default_rng(0).integers(0, 256, (2, 5, 5, 3), np.uint8)
WEIGHTS = np.random.default_rng(1).normal(size=(5, 5, 3))
MOVES = {
    "turned": lambda x: np.rot90(x, axes=(1, 2)),
    "mirrored": lambda x: x[:, :, ::-1],
    "upside down": lambda x: x[:, ::-1],
    "transposed": lambda x: x.swapaxes(1, 2),
}


def run(inputs: dict) -> np.ndarray:
    return (inputs["image"] * WEIGHTS).sum((1, 2, 3)) ** 2


def unique(tiles: list[np.ndarray]) -> int:
    return len({tile.tobytes() for tile in tiles})


@pytest.mark.parametrize("n", [1, 4, 8])
def test_there_are_as_many_views_as_asked_for_all_different(n):
    found = list(views.of(TILES, n))

    assert len(found) == unique(found) == n
    assert np.array_equal(found[0], TILES)
    assert all(view.flags.c_contiguous and view.dtype == np.uint8 for view in found)


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_eight_views_of_a_moved_tile_are_those_of_the_tile(move):
    found, moved = ({v.tobytes() for v in views.of(t, 8)} for t in (TILES, move(TILES).copy()))

    assert found == moved


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_an_average_over_eight_views_does_not_see_how_a_tile_lies(move):
    one, other = run({"image": TILES}), run({"image": move(TILES)})
    mean, moved = (views.averaged(run, 8)({"image": t}) for t in (TILES, move(TILES)))

    assert not np.allclose(one, other)
    np.testing.assert_allclose(mean, moved)


def test_four_views_are_the_quarter_turns():
    turned = MOVES["turned"](TILES)
    mean, moved = (views.averaged(run, 4)({"image": t}) for t in (TILES, turned))

    np.testing.assert_allclose(mean, moved)
    np.testing.assert_allclose(mean, np.mean([run({"image": v}) for v in views.of(TILES, 4)], 0))


def test_other_inputs_stay_beside_their_tile():
    seen = []
    views.averaged(lambda inputs: seen.append(inputs["tabular"]) or np.zeros(2), 4)(
        {"image": TILES, "tabular": "a table"}
    )

    assert seen == ["a table"] * 4


def test_one_view_changes_nothing():
    assert views.averaged(run, 1) is run


def test_a_table_is_run_once():
    calls = []
    views.averaged(lambda inputs: calls.append(inputs) or np.zeros(2), 8)({"tabular": "a table"})

    assert calls == [{"tabular": "a table"}]
