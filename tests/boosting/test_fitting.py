"""boosting.fitting: several seeds, equal bits, rounds that the validation fold never chooses."""

import numpy as np
import pytest
from tests.boost_numbers import params

from skinlesion import metrics
from skinlesion.boosting import ensemble, fitting
from skinlesion.errors import InputError


def examples(seed: int, n: int = 500) -> fitting.Examples:
    rng = np.random.default_rng(seed)
    y_true = (rng.random(n) < 0.2).astype(int)
    values = rng.normal(0, 1, (n, 4)).astype(np.float32)
    values[:, 1] += 1.5 * y_true
    values[rng.random((n, 4)) < 0.1] = np.nan
    values[:, 3] = rng.integers(0, 3, n)  # codes of a category
    return fitting.Examples(values, y_true, rng.integers(0, 60, n))


@pytest.fixture(scope="module")
def training():
    return examples(0)


@pytest.fixture(scope="module")
def validation():
    return examples(1)


def texts(fitted: ensemble.Fitted) -> list[str]:
    return [booster.model_to_string() for booster in fitted.ensemble.boosters]


def test_what_there_is_to_learn_is_learnt(training, validation):
    fitted = fitting.fit(training, validation, params(), categorical=[3])
    logits = fitted.ensemble.logits(validation.values)
    assert metrics.auc(validation.y_true, logits) > 0.8


def test_two_fits_agree_in_every_bit(training, validation):
    one, other = (fitting.fit(training, validation, params(), categorical=[3]) for _ in range(2))
    assert texts(one) == texts(other)
    assert one.log == other.log


def test_how_many_seeds_are_fitted_at_once_changes_no_bit(training, validation, monkeypatch):
    found = []
    for n in (1, 3):
        monkeypatch.setattr("skinlesion.dataset.threads.n_threads", lambda n=n: n)
        p = params(n_seeds=3, n_inner_folds=2)
        found.append(fitting.fit(training, validation, p, categorical=[3]))
    assert texts(found[0]) == texts(found[1])
    assert found[0].log == found[1].log


def test_each_seed_is_another_model_and_their_logits_are_averaged(training, validation):
    fitted = fitting.fit(training, validation, params(n_seeds=3), categorical=[3])
    assert len(set(texts(fitted))) == 3
    each = [ensemble.Ensemble([b], 0.0).logits(validation.values) for b in fitted.ensemble.boosters]
    np.testing.assert_allclose(
        fitted.ensemble.logits(validation.values), np.mean(each, 0) - fitted.ensemble.prior_shift
    )


def test_scores_are_on_the_true_prior(training, validation):
    p = params(scale_pos_weight=5.0, positive_share=0.4, n_rounds=40)
    logits = fitting.fit(training, validation, p, categorical=[3]).ensemble.logits(training.values)
    assert (1 / (1 + np.exp(-logits))).mean() == pytest.approx(training.y_true.mean(), abs=0.05)


def test_the_validation_lesions_decide_no_bit_of_the_models(training, validation):
    p = params(n_inner_folds=2)
    one = fitting.fit(training, validation, p, categorical=[3])
    other = fitting.fit(training, examples(2), p, categorical=[3])
    assert texts(one) == texts(other)
    assert one.log != other.log


def test_inner_folds_choose_fewer_rounds_where_there_is_nothing_to_learn(validation):
    rng = np.random.default_rng(0)
    noise = fitting.Examples(
        rng.normal(size=(400, 4)).astype(np.float32),
        (rng.random(400) < 0.3).astype(int),
        np.arange(400),
    )
    p = params(n_rounds=40, n_inner_folds=3)
    fitted = fitting.fit(noise, validation, p, categorical=[])
    assert fitted.n_rounds < 40
    assert all(b.num_trees() <= fitted.n_rounds for b in fitted.ensemble.boosters)


def test_every_round_is_logged(training, validation):
    log = fitting.fit(training, validation, params(), categorical=[3]).log
    assert list(log) == ["train/loss", "train/auc", "validation/loss", "validation/auc"]
    assert {len(values) for values in log.values()} == {12}
    assert log["train/loss"][-1] < log["train/loss"][0]


def test_what_is_logged_is_of_the_first_seed(training, validation):
    fitted = fitting.fit(training, validation, params(), categorical=[3])
    logits = fitted.ensemble.boosters[0].predict(validation.values, raw_score=True)
    said = [fitted.log[f"validation/{name}"][-1] for name in ("loss", "auc")]
    expected = [f(validation.y_true, logits) for f in (metrics.log_loss, metrics.auc)]
    assert said == pytest.approx(expected)


def test_the_rounds_are_judged_by_the_pauc_that_the_model_has_after_each(training, validation):
    fitted = fitting.fit(training, validation, params(n_seeds=1), categorical=[3])
    [booster] = fitted.ensemble.boosters
    expected = [
        metrics.partial_auc(
            validation.y_true, booster.predict(validation.values, num_iteration=i, raw_score=True)
        )
        for i in range(1, 13)
    ]
    assert fitting._by_round(booster, validation, 14) == [*expected, *expected[-1:] * 2]


def test_a_lesion_is_scored_alike_alone_and_among_others(training, validation):
    ensemble = fitting.fit(training, validation, params(), categorical=[3]).ensemble
    whole = ensemble.logits(validation.values)
    for row in (0, 17, 499):
        assert ensemble.logits(validation.values[[row]])[0] == whole[row]
    assert len(ensemble.logits(validation.values[:0])) == 0


def test_inner_folds_without_both_classes_are_refused_by_their_key(validation):
    few = examples(3)
    few = fitting.Examples(few.values, (few.patients < 2).astype(int), few.patients)
    with pytest.raises(InputError, match=r"boost\.n_inner_folds must leave .* Got 5; null"):
        fitting.fit(few, validation, params(n_inner_folds=5), categorical=[3])
