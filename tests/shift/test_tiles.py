"""shift.tiles: size and brightness of tiles, of a bounded number of them."""

import numpy as np
import pandas as pd

from skinlesion.shift import tiles


def test_size_and_brightness_are_measured_and_an_absent_tile_has_neither(solid_tiles):
    found = tiles.measure(
        ["ISIC_2", "ISIC_0", "ISIC_9"], solid_tiles({"ISIC_0": 10, "ISIC_2": 200})
    )

    assert found["tile_px"].tolist()[:2] == [40, 40]
    assert found["tile_brightness"].tolist()[:2] == [200, 10]
    assert found.loc[2].isna().all()


def test_of_many_lesions_those_of_some_patients_are_chosen_whatever_their_order(monkeypatch):
    monkeypatch.setattr(tiles, "MOST", 40)
    patients = pd.Series(np.repeat([f"IP_{i}" for i in range(30)], 5))
    chosen = tiles.some(patients)
    turned = tiles.some(patients[::-1].reset_index(drop=True))

    assert chosen.sum() == 40
    assert patients[chosen].nunique() == 8
    assert (turned[::-1] == chosen).all()
    assert tiles.some(patients[:40]).all()
