"""serving.lesions: rows and tiles of a request, put together."""

import pytest
from tests.serving_bundle import tile

from skinlesion.serving import form, lesions, refusal, settings
from skinlesion.serving.values import Column

NEEDED = [Column("age_approx", is_number=True)]
LIMITS = settings.load({"tiles": 3})


def of_patient(n: int, *names: str) -> lesions.Lesions:
    rows = "\n".join(f"L{i},P,{i}" for i in range(n))
    table = form.Part("table", "", bytearray(f"isic_id,patient_id,age_approx\n{rows}\n".encode()))
    tiles = [form.Part("tiles", name, bytearray(tile())) for name in names]
    return lesions.of_patient([*tiles, table], NEEDED, LIMITS)


def test_a_lesion_has_its_tile_under_its_identifier():
    row = form.Part("row", "", bytearray(b'{"age_approx": 1, "isic_id": "A"}'))
    found = lesions.one([row, form.Part("tile", "", bytearray(tile()))], NEEDED, LIMITS)

    assert found.table["isic_id"].tolist() == ["A"]
    assert found.tiles == {"A": tile()}


def test_a_patient_has_its_lesions_in_order_and_nothing_to_be_warned_of():
    found = of_patient(2, "L1.png", "L0.png")

    assert found.table["isic_id"].tolist() == ["L0", "L1"]
    assert set(found.tiles) == {"L0", "L1"}
    assert found.warnings == []


def test_a_tile_without_row_is_left_out_and_a_row_without_tile_stays_both_with_a_warning():
    found = of_patient(2, "L1.png", "L7.png")

    assert found.warnings == ["1 with no row, so left out: L7", "1 with no tile: L0"]
    assert list(found.tiles) == ["L1"]
    assert len(found.table) == 2


def test_tiles_of_none_of_the_lesions_are_refused_with_both_spellings():
    with pytest.raises(refusal.RefusalError) as error:
        of_patient(1, "l0.png")
    assert error.value.findings[0].found == "The file has l0, the table L0."


def test_a_patient_without_any_tile_is_refused():
    with pytest.raises(refusal.RefusalError) as error:
        of_patient(1)
    assert error.value.findings[0].found == "no tile"


def test_more_lesions_than_a_request_may_have_are_refused_as_too_large():
    with pytest.raises(refusal.RefusalError) as error:
        of_patient(4, "L1.png")
    assert error.value.status == 413
