"""training.head: a line on frozen features, as strong as patients that it never saw say."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from tests.recipes import HEAD, params

from skinlesion.dataset import batches
from skinlesion.network import model
from skinlesion.training import fold, head, schedule

pytestmark = pytest.mark.usefixtures("keras_started")

N = 120
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 6)) * [1, 10, 0.1, 1, 1, 0] + [0, 5, -1, 0, 0, 3]
Y = (X[:, 0] + RNG.normal(size=N) > 1).astype(float)


def given(*, weight=None, patients=None) -> head.Drawn:
    rows = np.arange(N)
    return head.Drawn(
        rows, np.ones(N) if weight is None else weight, Y, rows if patients is None else patients
    )


def line(x, lesions, strength: float) -> head.Line:
    [found] = head.lines(x, lesions, [strength])
    return found


def block(**changes) -> schedule.Head:
    return schedule.Head(**HEAD | changes)


# === The line ===


def test_a_weak_penalty_gives_the_logistic_regression_of_the_features_as_they_are():
    found = line(X, given(), 1e-6)
    expected = LogisticRegression(C=np.inf, max_iter=10_000, tol=1e-8).fit(X[:, :5], Y)

    np.testing.assert_allclose(found.logits(X), expected.decision_function(X[:, :5]), atol=1e-2)


def test_the_penalty_does_not_depend_on_units_nor_on_the_number_of_lesions():
    expected = line(X, given(), 0.1).logits(X)
    scaled = X * [1, 1000, 1, 1, 1, 1] + 7
    twice = head.Drawn(*(np.concatenate([of, of]) for of in vars(given()).values()))

    np.testing.assert_allclose(line(scaled, given(), 0.1).logits(scaled), expected, atol=1e-3)
    np.testing.assert_allclose(line(np.vstack([X, X]), twice, 0.1).logits(X), expected, 1e-2)


def test_a_stronger_penalty_gives_a_shorter_line():
    sizes = [np.abs(line(X, given(), s).kernel * X.std(0)).sum() for s in (0.01, 0.1, 1, 10)]

    assert sizes == sorted(sizes, reverse=True)


def test_a_line_does_not_depend_on_the_stronger_ones_before_it():
    *_, last = head.lines(X, given(), [10.0, 1.0, 0.1])

    np.testing.assert_allclose(last.logits(X), line(X, given(), 0.1).logits(X), atol=1e-2)


def test_a_feature_that_never_varies_has_no_weight():
    assert line(X, given(), 0.1).kernel[5] == 0


def test_a_weight_of_two_is_two_lesions():
    weight = np.where(np.arange(N) < 30, 2.0, 1.0)
    rows = np.concatenate([np.arange(N), np.arange(30)])
    # Standardised beforehand, as a mean of features knows no weights.
    x = (X - X.mean(0)) / np.where(X.std(0) > 0, X.std(0), 1)
    ones = LogisticRegression(C=1 / (0.1 * 150), tol=1e-8).fit(x[rows], Y[rows])

    np.testing.assert_allclose(
        line(X, given(weight=weight), 0.1).logits(X), ones.decision_function(x), atol=1e-2
    )


# === Its strength ===


def noise(n: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(N, n))


def test_more_noise_asks_for_more_strength():
    strengths = [100.0, 1.0, 0.001]
    few = head.choose(X[:, :1], given(), block(strengths=strengths))
    many = head.choose(np.hstack([X, noise(200)]), given(), block(strengths=strengths))

    assert many > few or few == many == 100.0
    assert many >= 1.0


def test_one_strength_is_not_compared(monkeypatch):
    monkeypatch.setattr(head, "lines", None)  # cannot be called

    assert head.choose(X, given(), block(strengths=[0.5])) == 0.5


def test_no_patient_scores_itself(monkeypatch):
    patients, real, seen = np.arange(N) // 5, head.lines, []

    def lines(x, rest, strengths):
        seen.append((x.copy(), set(rest.patients)))
        return real(x, rest, strengths)

    monkeypatch.setattr(head, "lines", lines)
    head.choose(X, given(patients=patients), block(n_folds=4, strengths=[1.0, 0.1], n_repeats=2))

    assert len(seen) == 4 * 2
    for x, left in seen:
        rows = np.isin(patients, list(left))
        assert np.array_equal(x, X[rows])  # all lesions of those left, and of nobody else
        assert 0 < len(left) < len(set(patients))


def test_the_order_of_the_lesions_changes_nothing_that_counts():
    order = np.random.default_rng(2).permutation(N)
    mixed = head.Drawn(*(of[order] for of in vars(given()).values()))

    assert head.choose(X, given(), block()) == head.choose(X[order], mixed, block())


# === A fold ===


@pytest.fixture
def examples(solid_tiles):
    """Two planned epochs of the first 80 lesions, the positives twice; the rest validates."""
    ids = np.array([f"ISIC_{i:07d}" for i in range(N)])
    brightness = (60 + 90 * Y + np.random.default_rng(3).integers(0, 30, N)).astype(int).tolist()
    tiles = solid_tiles(dict(zip(ids, brightness, strict=True)))
    lesions = batches.Lesions(ids, X[:, :2].astype(np.float32), tiles, image_px=32)
    positive = np.flatnonzero(Y[:80])
    epochs = []
    for negative in (np.flatnonzero(Y[:80] == 0)[::2], np.flatnonzero(Y[:80] == 0)[1::2]):
        rows = np.concatenate([positive, positive, negative])
        epochs.append(
            batches.Training(lesions, rows, Y[rows].astype("f4"), np.full(len(rows), 0.5, "f4"))
        )
    held = np.arange(80, N)
    validation = fold.Validation(batches.select(lesions, held), Y[held], 0.7)
    return fold.Examples(epochs, validation, np.arange(N) // 3)


def test_each_drawn_lesion_counts_as_often_as_it_was_drawn(examples):
    found = head.drawn(examples)

    assert found.rows.tolist() == list(range(80))
    assert found.weight.mean() == pytest.approx(1)
    assert found.weight[Y[:80] == 1] == pytest.approx(4 * found.weight[Y[:80] == 0][0])
    assert found.y_true.tolist() == Y[:80].tolist()
    assert found.patients.tolist() == (np.arange(80) // 3).tolist()


def test_only_the_last_layer_is_fitted_and_its_scores_are_those_that_are_logged(
    architecture, examples
):
    network, logged = model.build(architecture(tabular_units=[])), []
    before = network.get_weights()
    best = head.fit(network, examples, params(), log=lambda *values: logged.append(values))
    logits = model.apply(
        model.logits_of(network).predict_on_batch, examples.validation.lesions, batch_size=16
    )
    values = examples.validation.values(logits)

    assert all(
        np.array_equal(a, b) for a, b in zip(before[:-2], network.get_weights()[:-2], strict=True)
    )
    assert logged == [(0, best.values)]
    assert best.epoch == 0
    assert best.summary(params(fitted="head")).startswith("linear head, validation pAUC 0.")
    assert best.values["validation/auc"] > 0.95
    for name, value in values.items():
        assert best.values[name] == pytest.approx(value, abs=1e-3), name
    assert best.values["train/accuracy"] > 0.9
