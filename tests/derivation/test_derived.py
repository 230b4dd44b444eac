"""derivation.derived: 42 formulas over 34 columns, never infinite."""

import numpy as np
import pytest

from skinlesion.dataset import metadata
from skinlesion.derivation import derived

NAMES = [f.name for f in derived.FORMULAS]
BY_NAME = {f.name: f for f in derived.FORMULAS}


def columns(n: int = 50, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.gamma(2.0, 3.0, n) for name in derived.BASE}


def one(name: str, **letters: float) -> float:
    given = {derived.COLUMNS[k]: np.array([float(v)]) for k, v in letters.items()}
    return derived.derive(BY_NAME[name], given)[0]


def test_there_are_34_base_numbers_and_42_formulas_of_different_names():
    assert len(set(derived.BASE)) == 34
    assert len({*NAMES, *derived.BASE}) == 34 + 42


def test_every_base_number_is_a_column_that_a_test_table_has():
    assert set(derived.BASE) == set(metadata.NUMERIC) - set(metadata.TRAIN_ONLY)


@pytest.mark.parametrize("name", NAMES)
def test_a_formula_needs_base_numbers_and_is_a_function_of_no_others(name):
    given = columns()
    needs = BY_NAME[name].needs
    assert set(needs) <= set(derived.BASE)
    found = derived.derive(BY_NAME[name], {c: given[c] for c in needs})
    assert np.isfinite(found).all()


@pytest.mark.parametrize("name", NAMES)
def test_where_a_number_is_missing_so_is_what_is_made_of_it(name):
    for column in BY_NAME[name].needs:
        given = columns()
        given[column][3] = np.nan
        found = derived.derive(BY_NAME[name], given)
        assert np.isnan(found[3])
        assert np.isfinite(np.delete(found, 3)).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [0.0, -1.0, 1e-300, 1e300, -1e300])
def test_nothing_is_infinite_whatever_the_numbers(name, value):
    given = {c: np.full(3, value) for c in BY_NAME[name].needs}
    found = derived.derive(BY_NAME[name], given)
    assert not np.isinf(found.astype(np.float32)).any()


@pytest.mark.parametrize("name", NAMES)
def test_a_lesion_gets_the_same_bits_alone_as_among_others(name):
    given = columns()
    whole = derived.derive(BY_NAME[name], given)
    alone = [
        derived.derive(BY_NAME[name], {c: v[[i]] for c, v in given.items()})[0] for i in (0, 7)
    ]
    assert alone == [whole[0], whole[7]]


@pytest.mark.parametrize(
    ("name", "letters", "expected"),
    [
        ("minor_by_long_axis", {"minor": 2, "D": 4}, 0.5),
        ("perimeter_by_circle", {"P": 2 * np.pi * 3, "S": np.pi * 9}, 1.0),  # of a circle
        ("log_area", {"S": np.e - 1}, 1.0),
        ("distance_from_origin", {"x": 2, "y": 3, "z": 6}, 7.0),
        ("angle_around_body", {"x": 0, "y": 2}, np.pi / 2),
        ("colour_contrast", {"dA": 2, "dB": 3, "dL": -6}, 7.0),
        ("border_with_symmetry", {"nb": 2, "sy": 2}, 1.0),
        ("lightness_sd_with_skin", {"stdL": 3, "Lext": 6}, 2.0),
        ("mean_outline_eccentricity_colour_symmetry", {"outline": 1, "ec": 2, "nc": 3, "sy": 6}, 3),
        ("diameter_and_age", {"D": 3, "age": 4}, 5.0),
        ("age_area_symmetry", {"age": 2, "S": 3, "sy": 4}, 24.0),
    ],
)
def test_formulas_give_what_they_say(name, letters, expected):
    assert one(name, **letters) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("diameter_by_age", {"D": 3, "age": 0}),
        ("colour_sd_by_radial", {"cs": 0, "rc": 0}),
        ("log_area", {"S": -1}),
        ("perimeter_by_circle", {"P": 1, "S": 0}),
    ],
)
def test_what_has_no_finite_value_is_missing(name, letters):
    assert np.isnan(one(name, **letters))
