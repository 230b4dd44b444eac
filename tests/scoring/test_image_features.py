"""scoring.image_features: features are taken out of scored lesions and kept."""

import numpy as np
import pandas as pd
import pytest

from skinlesion.scoring import image_features


@pytest.mark.parametrize("width", [0, 3])
def test_features_are_taken_out_of_the_pieces_in_their_order(width):
    x = np.arange(10 * width, dtype=np.float32).reshape(10, width)
    kept = image_features.Kept(10)
    pieces = [
        pd.DataFrame({"logit": 1.0, **image_features.named(x[rows])}, index=range(len(x[rows])))
        for rows in (slice(0, 4), slice(4, 4), slice(4, 10))
    ]
    left = list(kept.taken(pieces))

    np.testing.assert_array_equal(kept.features, x)
    assert all(list(piece) == ["logit"] for piece in left)
    assert [len(piece) for piece in left] == [4, 0, 6]
