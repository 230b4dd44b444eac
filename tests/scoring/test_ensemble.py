"""scoring.ensemble: one pass per size of tile; the tests of scoring.predict try its means."""

import pytest

from skinlesion.scoring import ensemble


@pytest.mark.parametrize(
    ("sizes", "n"), [([32], 1), ([32, 32, 32], 1), ([32, 48], 2), ([32, None], 2), ([None], 1)]
)
def test_lesions_are_gone_through_once_per_size_of_tile(make, sizes, n):
    models = [make(backbone="none") if px is None else make(image_px=px) for px in sizes]

    assert ensemble.n_passes(dict(enumerate(models))) == n
