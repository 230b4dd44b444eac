"""shift.image: how far a tile's features lie from those of training tiles."""

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis
from sklearn.covariance import ledoit_wolf

from skinlesion.shift import image

K = 6
MIX = np.random.default_rng(9).normal(size=(K, K))


def drawn(n_patients: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    patients = np.repeat(np.arange(n_patients), rng.integers(3, 12, n_patients))
    own = rng.normal(0, 0.4, (n_patients, K))[patients]
    return ((own + rng.normal(size=(len(patients), K))) @ MIX + 3).astype(np.float32), patients


@pytest.fixture(scope="module")
def known():
    return image.fit(*drawn(80, 0), fold=2)


def test_the_shrunk_covariance_is_that_of_ledoit_and_wolf():
    x = np.random.default_rng(1).normal(size=(40, K)) @ MIX

    np.testing.assert_allclose(image.shrunk(x), ledoit_wolf(x)[0])


def test_the_distance_is_that_of_mahalanobis_by_the_root_of_their_number(known):
    x, _ = drawn(80, 0)
    scale = x.astype(float).std(0)
    inverse = np.linalg.inv(ledoit_wolf((x - x.mean(0)) / scale)[0])
    y = drawn(5, 3)[0]
    expected = [mahalanobis(row, x.mean(0) / scale, inverse) / K**0.5 for row in y / scale]

    np.testing.assert_allclose(image.distance(known.standardised(y)), expected, rtol=1e-3)


def test_a_lesion_like_the_training_ones_is_about_1_off_and_not_far(known):
    distances = image.distance(known.standardised(drawn(200, 4)[0]))

    assert 0.7 < np.mean(distances**2) < 1.1
    assert np.mean(distances > known.far) < 0.005


def test_what_training_never_saw_is_far(known):
    y, _ = drawn(20, 5)
    other = image.distance(known.standardised(y[:, ::-1] * 4))

    assert np.mean(other > known.far) > 0.9


def test_usual_distances_are_of_lesions_that_the_mean_was_not_taken_of():
    """Else, of few training lesions, all others would look further off than usual."""
    x, patients = drawn(14, 6)
    known = image.fit(x, patients, fold=0)
    others = image.distance(known.standardised(drawn(300, 7)[0]))
    above = np.mean(others > known.distances.edges[4])  # the median

    assert above == pytest.approx(0.5, abs=0.15)


def test_features_that_never_vary_and_those_that_are_unread_do_no_harm():
    x, patients = drawn(30, 8)
    x[:, 2] = 1.5
    known = image.fit(x, patients, fold=0)
    y = drawn(4, 9)[0]
    y[:, 2], y[1] = 1.5, np.nan
    distances = image.distance(known.standardised(y))

    assert np.isnan(distances).tolist() == [i == 1 for i in range(len(y))]
    assert (distances[2:] < known.far).all()


@pytest.mark.parametrize(("n_patients", "n"), [(9, None), (12, 11)])
def test_of_too_few_lesions_or_patients_nothing_is_usual(n_patients, n):
    x, patients = drawn(n_patients, 10)

    assert image.fit(x[:n], patients[:n], fold=0) is None
