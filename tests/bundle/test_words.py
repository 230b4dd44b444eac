"""bundle.words: every number that a table expert may read is said in words."""

import pytest

from skinlesion.bundle import words
from skinlesion.derivation import derived, plan, relative

OF_A_GROUP = ("n_lesions", "total_area", *plan.OUTLYING)
NUMBERS = [
    *derived.BASE,
    *(formula.name for formula in derived.FORMULAS),
    *(name for names in plan.TILE.values() for name in names),
]
ALL = [
    *NUMBERS,
    *plan.CATEGORICAL,
    *(f"{n}|{s}|{g}" for n in NUMBERS for s in plan.OF_A_NUMBER for g in relative.GROUPS),
    *(f"{name}|{group}" for name in OF_A_GROUP for group in relative.GROUPS),
]


def test_each_number_has_words_of_its_own():
    said = [words.of(name) for name in ALL]

    assert not [text for text in said if "_" in text or "|" in text or "{" in text]
    assert len(set(said)) == len(ALL)


def test_each_column_has_words_rather_than_its_name():
    assert not [n for n in derived.BASE if n.replace("_", " ") in words.of(n)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tbp_lv_areaMM2", "area, mm²"),
        ("tile_a_difference", "redness of the tile's middle against its rim"),
        ("blob_b_sd", "variation of yellowness in the dark blob"),
        ("diameter_by_age", "diameter by age"),
        ("tbp_lv_areaMM2|rank|patient", "area, rank among the patient's lesions"),
        ("n_lesions|patient", "number of the patient's lesions"),
    ],
)
def test_it_reads_as_people_say_it(name, expected):
    assert words.of(name) == expected
