"""bundle.unusual: marks by the features of the network that the profile knows."""

import numpy as np
import pandas as pd
import pytest

from skinlesion.bundle import unusual
from skinlesion.scoring.image_features import named
from skinlesion.shift import image, profile, sketch

N, N_POOLED, FOLD = 400, 300, 3
RNG = np.random.default_rng(0)
PATIENTS = np.arange(N) % 40
LESIONS = pd.DataFrame({"isic_id": ["a", "b", "c"]})


@pytest.fixture(scope="module")
def known() -> profile.Profile:
    usual = RNG.normal(1, 0.2, (N, N_POOLED))
    return profile.make({}, image.fit(sketch.of(usual), PATIENTS, fold=FOLD), PATIENTS)


def features(*off: float) -> np.ndarray:
    """Of lesions: as usual, with some features so much larger."""
    found = RNG.normal(1, 0.2, (len(off), N_POOLED))
    found[:, :30] += np.array(off)[:, None]
    return found


def seen(known, features: np.ndarray) -> list[str]:
    scored = pd.DataFrame({"isic_id": LESIONS["isic_id"], **named(sketch.of(features))})
    return unusual.reasons(known, LESIONS, scored)


def test_a_tile_whose_features_are_far_off_is_marked(known):
    marks = seen(known, features(0, 5, 0))

    assert marks[0] == marks[2] == ""
    assert marks[1].startswith("the tile, ")


def test_the_network_is_the_first_of_the_fold_that_the_profile_knows(known):
    assert unusual.watched(known) == (FOLD, 0)
    assert unusual.watched(profile.make({}, None, PATIENTS)) is None
    assert unusual.watched(None) is None


def test_a_tile_that_cannot_be_read_is_not_marked(known):
    assert seen(known, features(0, np.nan, 0)) == ["", "", ""]


def test_a_network_that_reads_no_tile_marks_nothing(known):
    assert unusual.reasons(known, LESIONS, LESIONS) == ["", "", ""]


def test_without_a_profile_nothing_is_marked(tmp_path):
    assert unusual.load(tmp_path) is None
    assert seen(None, features(0, 5, 0)) == ["", "", ""]
