"""shift.sets: the profile is of the lesions learnt from, and a set has its own features."""

import numpy as np
import pandas as pd
import pytest
from tests import shifts

from skinlesion.errors import InputError
from skinlesion.shift import sets


def test_the_profile_is_of_the_lesions_that_a_model_learnt_from(work, challenge):
    split = pd.read_csv(work / "folds.csv")
    for folds, learnt in (((0,), [1, 2]), ((0, 1), [0, 1, 2])):
        known = sets.learn(shifts.read(work, challenge, folds))
        assert known.sizes.n_lesions == split["fold"].isin(learnt).sum()
    assert set(known.columns) == {
        *("age_approx", "clin_size_long_diam_mm", "tbp_lv_A", "sex", "tile_l"),
        *("tile_px", "tile_brightness"),
    }


def test_features_of_other_lesions_are_refused(work, challenge):
    np.save(work / "image-test.npy", np.zeros((1000, 3), np.float32))
    given = shifts.read(work, challenge)
    with pytest.raises(InputError, match=r"image-test\.npy must be of the lesions of test"):
        list(given.pieces("test"))
