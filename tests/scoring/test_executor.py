"""scoring.executor: pieces of whole batches, and this process as the place where they run."""

import pytest

from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.scoring import executor


def test_without_a_cluster_pieces_run_in_order_with_the_models_and_the_tiles():
    def join(models, store, piece, on_steps):
        on_steps(len(piece))
        return models[3] + store + piece

    steps = []
    run = executor.Here({3: "model "}, "tiles ")

    assert list(run.map(join, ["a", "bc"], steps.append)) == ["model tiles a", "model tiles bc"]
    assert steps == [1, 2]


@pytest.mark.parametrize("min_pieces", [1, 3, 8])
@pytest.mark.parametrize("n", [None, 1, 7, 8, 1000, 10**8])
@pytest.mark.parametrize("batch_size", [1, 8, 5000])
def test_a_piece_is_of_whole_batches_and_bounded(n, batch_size, min_pieces):
    found = executor.piece_size(n, batch_size, min_pieces)

    assert found % batch_size == 0
    assert batch_size <= found <= max(executor.MAX_PIECE, batch_size)


def test_work_of_enough_batches_is_cut_into_as_many_pieces_as_are_asked_for():
    assert -(-1000 // executor.piece_size(1000, 8, 10)) == 10
    assert executor.piece_size(1000, 8, 1) == 1000


def test_a_plan_names_the_folders_that_it_reads(tmp_path):
    plan = executor.Plan(tmp_path, (FoldSeed(0), FoldSeed(3, 1)), None, dict)

    assert plan.folders == [tmp_path / "fold-0", tmp_path / "fold-3/seed-1"]
