"""experiments.links: files beside a report are linked where a forge shows them."""

import pytest

from skinlesion.errors import InputError
from skinlesion.experiments import links

TEXT = "[report.html](report.html), [a-b.png](a-b.png), [x](https://x.org/a.png) and a.png (a.png)"


def test_only_links_to_files_in_the_same_folder_are_replaced():
    assert links.absolute(TEXT, {"*": "https://y.org/{name}"}) == (
        "[report.html](https://y.org/report.html), [a-b.png](https://y.org/a-b.png), "
        "[x](https://x.org/a.png) and a.png (a.png)"
    )


def test_the_first_pattern_that_fits_is_taken_and_without_one_a_link_stays():
    found = links.absolute(TEXT, {"*.png": "https://y.org/1", "a*": "https://y.org/2"})

    assert "[a-b.png](https://y.org/1)" in found
    assert "[report.html](report.html)" in found


def test_replacing_twice_is_replacing_once():
    once = links.absolute(TEXT, {"*": "https://y.org/{name}"})

    assert links.absolute(once, {"*": "https://z.org/{name}"}) == once


def test_addresses_are_read_from_words_and_those_not_known_are_left_out():
    assert links.parse(["a=https://x.org/?b=c", "*.png=http://x.org", "d="]) == {
        "a": "https://x.org/?b=c",
        "*.png": "http://x.org",
    }


@pytest.mark.parametrize("word", ["report.html", "=https://x.org", "a=javascript:x", "a=x.org"])
def test_a_word_that_is_no_address_is_refused(word):
    with pytest.raises(InputError, match=r"must be NAMES=ADDRESS.* Got "):
        links.parse([word])
