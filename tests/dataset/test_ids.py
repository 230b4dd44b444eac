"""dataset.ids: two spellings of one identifier are found, two identifiers are kept apart."""

import pytest

from skinlesion.dataset import ids


@pytest.mark.parametrize(
    "same", ["ip_123", " IP_123 ", "IP_0123", "IP_123.0", "I P_123", "IP_000123"]
)
def test_case_spaces_leading_zeros_and_a_trailing_0_are_no_difference(same):
    assert ids.key(same) == ids.key("IP_123")
    assert ids.spellings(["IP_123", same, "IP_123", "IP_9"]) == [sorted(["IP_123", same])]


@pytest.mark.parametrize(
    "other", ["IP_1230", "IP_1203", "IP-123", "IP_123.5", "IP_0", "123", "IP_123a"]
)
def test_other_identifiers_are_others(other):
    assert ids.key(other) != ids.key("IP_123")
    assert ids.spellings(["IP_123", other]) == []


def test_zeros_count_where_no_number_ends_the_identifier():
    assert ids.spellings(["a00f", "a0f", "00", "b_0.0x", "b_.0x"]) == []


@pytest.mark.parametrize(
    "kept", [["ISIC_1.jpg"], ["isic_01"], ["a/b/ISIC_1.PNG"], ["x", "ISIC_1.0"]]
)
def test_a_hint_shows_the_same_lesion_if_only_the_spelling_differs(kept):
    assert ids.hint(["ISIC_7", "ISIC_1"], kept) == f"The file has {kept[-1]}, the table ISIC_1."


def test_a_hint_shows_one_of_each_if_nothing_matches():
    assert ids.hint(["ISIC_7"], ["b", "a"]) == "The file has a, the table ISIC_7."
    assert ids.hint(["ISIC_7"], []) == "It holds none."
