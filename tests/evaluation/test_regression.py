"""evaluation.regression: logistic regressions, many at a time, are those of scikit-learn."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from skinlesion.evaluation import regression

SEEDS = pytest.mark.parametrize("seed", range(5))


def fitted(design: np.ndarray, positive: np.ndarray, *, offset: float | np.ndarray = 0.0):
    offset = np.broadcast_to(offset, len(design))
    return regression.logistic(design, positive[:, None], np.ones((len(design), 1)), offset=offset)[
        :, 0
    ]


@SEEDS
def test_the_regression_is_that_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(500), rng.normal(size=(500, 2))])
    y_true = (rng.random(500) < expit(design @ [-2.0, 1.0, 0.5])).astype(float)
    other = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-10, max_iter=1000)
    np.testing.assert_allclose(
        fitted(design, y_true), other.fit(design, y_true).coef_[0], atol=1e-5
    )


@SEEDS
def test_several_fits_at_a_time_are_those_of_their_lesions_one_by_one(seed):
    rng = np.random.default_rng(seed)
    level = np.arange(-5.0, 3)
    n = rng.integers(1, 40, (8, 3))
    positive = rng.binomial(n, expit(level)[:, None])
    design = np.column_stack([np.ones(8), level])
    found = regression.logistic(design, positive, n, offset=np.zeros(8))
    for i in range(3):
        rows = np.repeat(np.arange(8), n[:, i])
        counts = zip(n[:, i], positive[:, i], strict=True)
        y_true = np.concatenate([np.arange(m) < k for m, k in counts])
        np.testing.assert_allclose(found[:, i], fitted(design[rows], y_true * 1.0), atol=1e-8)


def test_an_offset_takes_the_place_of_what_it_holds():
    rng = np.random.default_rng(0)
    z = rng.normal(-3, 2, 4000)
    y_true = (rng.random(4000) < expit(z + 0.7)).astype(float)
    found = fitted(np.ones((4000, 1)), y_true, offset=z)
    assert found == pytest.approx([0.7], abs=0.15)
    assert expit(z + found).mean() == pytest.approx(y_true.mean())


def test_a_fit_that_does_not_exist_is_unknown_and_leaves_the_others_alone():
    z = np.linspace(-1, 1, 50)
    design, n = np.column_stack([np.ones(50), z]), np.ones((50, 2))
    apart, mixed = (z > 0) * 1.0, (np.sin(40 * z) > 0) * 1.0
    found = regression.logistic(design, np.column_stack([apart, mixed]), n, offset=0 * z)
    assert np.isnan(found[:, 0]).all()
    np.testing.assert_allclose(found[:, 1], fitted(design, mixed), atol=1e-12)
    assert np.isnan(fitted(np.ones((50, 2)), mixed)).all()


def test_a_line_in_any_units_is_the_regression_on_them():
    rng = np.random.default_rng(1)
    z = 1e4 + 100 * rng.normal(size=300)
    y_true = (rng.random(300) < expit((z - 1e4) / 50)).astype(float)
    intercept, slope = regression.line(z, y_true[:, None], np.ones((300, 1)))[:, 0]
    scaled = fitted(np.column_stack([np.ones(300), (z - 1e4) / 100]), y_true)
    assert slope == pytest.approx(scaled[1] / 100)
    assert intercept == pytest.approx(scaled[0] - 1e4 * scaled[1] / 100)
