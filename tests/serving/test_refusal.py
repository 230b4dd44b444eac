"""serving.refusal: what is wrong, where, and what was expected."""

import pytest

from skinlesion.errors import InputError
from skinlesion.serving import refusal


def test_a_sentence_of_the_house_becomes_field_expected_and_found():
    error = InputError("table must have a column 'sex'. Did you mean 'Sex'?")
    [finding] = refusal.of_input(error, "table").findings

    assert finding.model_dump() == {
        "field": "table",
        "expected": "have a column 'sex'",
        "found": "Did you mean 'Sex'?",
    }


def test_the_column_that_a_sentence_names_is_kept():
    [finding] = refusal.of_input(InputError("sex must be known. Got 'x'."), "lesions").findings

    assert finding.field == "lesions: sex"


def test_a_sentence_of_another_form_is_found_as_it_is():
    [finding] = refusal.of_input(InputError("It is damaged"), "tile").findings

    assert (finding.field, finding.found) == ("tile", "It is damaged")


def test_a_long_value_is_cut():
    [finding] = refusal.one(422, "row", "text", "x" * 10_000).findings

    assert len(finding.found) < 100


@pytest.mark.parametrize("found", ["\ud800", "a\udfffb"])
def test_a_value_that_no_encoding_can_write_does_not_break_the_answer(found):
    [finding] = refusal.one(422, "row", "text", found).findings

    finding.model_dump_json().encode()
