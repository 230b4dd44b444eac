"""serving.words: a probability as how many of how many."""

import pytest

from skinlesion.serving import words


@pytest.mark.parametrize(
    ("probability", "expected"),
    [
        (0.0, "fewer than 1 in 100,000"),
        (0.000004, "fewer than 1 in 100,000"),
        (0.00001, "1 in 100,000"),
        (0.00042, "4 in 10,000"),
        (0.0004, "4 in 10,000"),
        (0.0036, "4 in 1,000"),
        (0.25, "250 in 1,000"),
        (0.9996, "more than 999 in 1,000"),
        (1.0, "1,000 in 1,000"),
    ],
)
def test_a_probability_is_so_many_of_so_many(probability, expected):
    assert words.frequency(probability) == expected


def test_a_greater_probability_is_never_said_to_be_smaller():
    def share(text: str) -> float:
        count, n = text.split(" in ")
        return float(count.split()[-1].replace(",", "")) / float(n.replace(",", ""))

    said = [share(words.frequency(p)) for p in [1e-5 * 1.02**i for i in range(580)]]
    assert said == sorted(said)
