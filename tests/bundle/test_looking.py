"""bundle.looking: patches that the networks do not look at change nothing."""

import numpy as np
import pandas as pd

from skinlesion.bundle import looking
from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.features import tabular
from skinlesion.scoring import passes

NOTHING = tabular.Encoder(numeric={}, categorical={}, constant=())


def corner(inputs: dict, n: int) -> np.ndarray:
    """A network whose logit is the mean brightness of a corner of the tile."""
    return inputs["image"][:n, :8, 24:].mean((1, 2, 3), np.float32, keepdims=True).reshape(-1, 1)


def networks(*widths: int) -> dict[FoldSeed, passes.Network]:
    """Of folds 0, 1 and so on, which read tiles of these widths."""
    return {FoldSeed(k): passes.Network(NOTHING, px, 1.0, corner) for k, px in enumerate(widths)}


def tile() -> bytes:
    import io

    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return file.getvalue()


LESION = pd.DataFrame({"isic_id": ["A"]})


def test_only_patches_over_what_the_network_sees_have_a_drop():
    found = looking.drops(networks(32), LESION, tile(), 0.25)

    assert found.shape == (7, 7)
    assert (found[:2, 5:] != 0).all()
    found[:2, 5:] = 0
    assert (found == 0).all()


def test_a_network_that_reads_no_tile_counts_with_a_drop_of_0():
    both = looking.drops(networks(32, 0), LESION, tile(), 0.25)

    np.testing.assert_allclose(both, looking.drops(networks(32), LESION, tile(), 0.25) / 2)


def test_without_a_network_that_reads_tiles_there_is_no_map():
    assert looking.drops(networks(0), LESION, b"", 0.25).shape == (0, 0)
