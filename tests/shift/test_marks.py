"""shift.marks: single lesions far outside the training lesions are marked, with the reason."""

import numpy as np
import pytest
from tests import shifts

from skinlesion.shift import image, marks, profile


@pytest.fixture(scope="module")
def known():
    return shifts.profiled(shifts.drawn(250, 0))


def test_lesions_like_the_training_ones_are_rarely_marked(known):
    lesions = shifts.drawn(300, 1)
    found = marks.of(lesions, known)

    assert len(found.reasons) == len(lesions)
    assert np.mean([reason != "" for reason in found.reasons]) < 0.005
    assert np.isnan(found.image_distance).all()


def test_what_is_far_outside_is_named_with_what_is_usual(known):
    lesions = shifts.drawn(3, 2)
    lesions.loc[1, ["size_mm", "site"]] = [250.0, "Fin"]
    lesions.loc[2, "age"] = np.nan
    low, high = known.columns["size_mm"].usual

    reasons = marks.of(lesions, known).reasons
    assert reasons[1] == (
        f"size_mm 250, usually {low:g} to {high:g}; site 'fin', not of the training lesions"
    )
    assert not any(reasons[:1] + reasons[2:])


@pytest.mark.parametrize("side", [-1, 1])
def test_far_is_a_width_of_the_usual_range_beyond_it(known, side):
    low, high = known.columns["lightness"].usual
    limit = (high if side > 0 else low) + side * (high - low)
    lesions = shifts.drawn(1, 3)[:1]
    inside, outside = (
        marks.of(lesions.assign(lightness=limit + side * x), known).reasons for x in (-0.1, 0.1)
    )

    assert inside == [""]
    assert outside[0].startswith("lightness")


def test_a_tile_unlike_all_others_is_marked_and_an_unread_one_is_not(known):
    rng = np.random.default_rng(4)
    of = image.fit(rng.normal(size=(500, 5)), np.arange(500) // 5, fold=0)
    whole = profile.Profile(sizes=known.sizes, columns=known.columns, image=of)
    x = rng.normal(size=(4, 5))
    x[1], x[2] = 50, np.nan
    lesions = shifts.drawn(5, 5)[:4]
    found = marks.of(lesions, whole, x)

    assert [bool(reason) for reason in found.reasons] == [False, True, False, False]
    assert found.reasons[1].startswith("the tile, 5")
    assert np.isnan(found.image_distance).tolist() == [False, False, True, False]


def test_a_lesion_is_marked_alone_as_among_others(known):
    lesions = shifts.drawn(20, 6)
    lesions.loc[::5, "size_mm"] = 99.0
    whole = marks.of(lesions, known).reasons

    assert [marks.of(lesions[i : i + 1], known).reasons[0] for i in range(len(lesions))] == whole
