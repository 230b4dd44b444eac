"""reporting.models: whether the fold left out chose an epoch is read from the block `train`."""

import pytest

from skinlesion.reporting.models import Train


@pytest.mark.parametrize(
    ("fitted", "select", "chose"),
    [("network", "best", True), ("network", "last", False), ("head", "best", False)],
)
def test_the_fold_left_out_chooses_the_best_epoch_of_a_network_only(fitted, select, chose):
    train = Train(fitted=fitted, select=select, n_seeds=1)
    assert train.chose_epoch is chose
