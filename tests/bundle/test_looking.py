"""bundle.looking: patches that the networks do not look at change nothing."""

import numpy as np
import pandas as pd

from skinlesion.bundle import looking, networks
from skinlesion.features import tabular

NOTHING = tabular.Encoder(numeric={}, categorical={}, constant=())


class Sees:
    """A network whose logit is the mean brightness of a corner of the tile."""

    inputs = {"image": (32, 32, 3)}  # noqa: RUF012

    def run(self, inputs: dict) -> dict:
        corner = inputs["image"][:, :8, 24:].astype(np.float32)
        return {"logit": corner.mean((1, 2, 3), keepdims=True).reshape(-1, 1)}


def member(px: int = 32) -> networks.Member:
    return networks.Member(Sees(), NOTHING, networks.Facts(fold=0, prior_shift=1.0, image_px=px))


def tile() -> bytes:
    import io

    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return file.getvalue()


LESION = pd.DataFrame({"isic_id": ["A"]})


def test_only_patches_over_what_the_network_sees_have_a_drop():
    found = looking.drops([member()], LESION, tile(), 0.25)

    assert found.shape == (7, 7)
    assert (found[:2, 5:] != 0).all()
    found[:2, 5:] = 0
    assert (found == 0).all()


def test_a_network_that_reads_no_tile_counts_with_a_drop_of_0():
    both = looking.drops([member(), member(px=0)], LESION, tile(), 0.25)

    np.testing.assert_allclose(both, looking.drops([member()], LESION, tile(), 0.25) / 2)


def test_without_a_network_that_reads_tiles_there_is_no_map():
    assert looking.drops([member(px=0)], LESION, b"", 0.25).shape == (0, 0)
