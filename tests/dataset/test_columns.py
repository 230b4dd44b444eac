"""dataset.columns: what can be measured is in range, and what cannot is not."""

import numpy as np
import pytest

from skinlesion.dataset import columns, metadata
from skinlesion.synthetic import challenge_folder


def test_every_column_of_the_challenge_is_known():
    known = {*columns.NUMERIC, *columns.TEXT, "target"}
    assert known == set(challenge_folder.COLUMNS)


@pytest.mark.parametrize("name", sorted(columns.NUMERIC))
def test_the_ends_of_a_range_belong_to_it_and_what_lies_beyond_does_not(name):
    q = columns.NUMERIC[name]
    assert q.low < q.high
    values = np.array([q.low, q.high, q.low - 1, q.high + 1, (q.low + q.high) / 2, np.nan])
    assert columns.outside(name, values).tolist() == [q.above, False, True, True, False, False]


def test_rounding_to_seven_digits_leaves_no_range():
    assert not columns.outside("tbp_lv_nevi_confidence", np.array([100.00001, -0.00001])).any()


def test_a_column_that_is_not_known_may_hold_any_number():
    assert not columns.outside("clinic", np.array([-999.0, 1e30])).any()


def test_all_that_is_drawn_is_in_range(challenge):
    for half in ("train", "test"):
        lesions = metadata.read(challenge / f"{half}-metadata.csv")
        for name in lesions.columns.intersection(list(columns.NUMERIC)):
            assert not columns.outside(name, lesions[name].to_numpy(float)).any(), name


def test_a_range_is_said_with_its_unit():
    assert str(columns.NUMERIC["clin_size_long_diam_mm"]) == "in (0, 500] mm"
    assert str(columns.NUMERIC["tbp_lv_eccentricity"]) == "in [0, 1]"


def test_each_unusable_feature_is_said_once_with_its_reason():
    features = ["target", "isic_id", "agee", "sex", "sex", "age"]
    found = columns.unusable(features, ["isic_id", "target", "age", "sex"])
    assert [line.split("'")[1] for line in found] == ["target", "isic_id", "agee", "sex"]
    assert found[2].endswith("Did you mean 'age'?")
    assert columns.unusable(["age", "sex"], ["age", "sex"]) == []
