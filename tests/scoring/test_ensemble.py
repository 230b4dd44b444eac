"""scoring.ensemble: one pass per size of tile; the tests of scoring.predict try its means."""

import numpy as np
import pandas as pd
import pytest

from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.features import tabular
from skinlesion.scoring import ensemble, passes

NOTHING = tabular.Encoder(numeric={}, categorical={}, constant=())


def width(inputs: passes.Inputs, n: int) -> np.ndarray:
    """A network whose logit is the width of the tile that it is given; 0 without one."""
    tiles = inputs.get("image", np.zeros((n, 0)))
    return np.full((n, 1), tiles.shape[1], np.float32)


@pytest.mark.parametrize(("sizes", "n_passes"), [([32], 1), ([48, 32, 48], 2), ([0, 32], 2)])
def test_lesions_are_gone_through_once_per_size_of_tile(solid_tiles, sizes, n_passes):
    ids = [f"ISIC_{i}" for i in range(5)]
    networks = {FoldSeed(k): passes.Network(NOTHING, px, 0.0, width) for k, px in enumerate(sizes)}
    piece = passes.Piece(pd.DataFrame({"isic_id": ids}), tuple(networks), 2, strict=True)
    n_lesions: list[int] = []
    found = ensemble.score(networks, solid_tiles(dict.fromkeys(ids, 9)), piece, n_lesions.append)

    assert sum(n_lesions) == n_passes * 5
    assert found["logit"].tolist() == pytest.approx([np.mean(sizes)] * 5)
