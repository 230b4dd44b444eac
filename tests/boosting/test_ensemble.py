"""boosting.ensemble: the mean of the seeds' logits, put on the true prior."""

import numpy as np

from skinlesion.boosting.ensemble import Ensemble


class Booster:
    """Trees whose logit is the first column times a weight."""

    def __init__(self, weight: float) -> None:
        self.weight = weight

    def predict(self, values: np.ndarray, *, raw_score: bool) -> np.ndarray:
        assert raw_score
        return self.weight * values[:, 0]


def test_logits_are_averaged_and_shifted():
    found = Ensemble([Booster(1.0), Booster(3.0)], prior_shift=0.5).logits(np.array([[1.0], [4.0]]))

    np.testing.assert_array_equal(found, [1.5, 7.5])


def test_no_lesions_have_no_logits():
    assert Ensemble([Booster(1.0)], 0.0).logits(np.empty((0, 1))).shape == (0,)
