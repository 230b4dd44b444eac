"""evaluation.ranking: ranked once and reweighted, it equals the plain way lesion by lesion."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score
from tests.resampling import drawn, lesions, written_out

from skinlesion import metrics
from skinlesion.evaluation import bootstrap, ranking

SEEDS = pytest.mark.parametrize("seed", range(6))
STATISTICS = {
    "pauc": (
        lambda roc: roc.partial_auc(0.8),
        lambda y, s: metrics.partial_auc(y, s, min_tpr=0.8),
    ),
    "pauc above 0.3": (
        lambda roc: roc.partial_auc(0.3),
        lambda y, s: metrics.partial_auc(y, s, min_tpr=0.3),
    ),
    "auc": (lambda roc: roc.auc(), metrics.auc),
    "average precision": (lambda roc: roc.average_precision(), average_precision_score),
}


@SEEDS
def test_the_order_of_the_lesions_does_not_matter(seed):
    table = lesions(seed)
    shuffled = table.sample(frac=1, random_state=seed)
    for statistic, _ in STATISTICS.values():
        one, other = (
            ranking.rank(t, t["score"], drawn(t)).each(statistic) for t in (table, shuffled)
        )
        np.testing.assert_array_equal(one, other)


@SEEDS
@pytest.mark.parametrize("name", STATISTICS)
def test_reweighting_equals_the_plain_way_on_every_resample(seed, name):
    table = lesions(seed)
    resamples = drawn(table)
    statistic, plain = STATISTICS[name]
    found = ranking.rank(table, table["score"], resamples).each(statistic)

    assert found.shape == (51,)
    for row, value in enumerate(found):
        again = written_out(table, resamples, row)
        expected = plain(again["target"].to_numpy(), again["score"].to_numpy())
        assert value == pytest.approx(expected, abs=1e-12)


@SEEDS
def test_resamples_taken_in_pieces_are_the_same_to_the_bit(monkeypatch, seed):
    table = lesions(seed)
    ranked = ranking.rank(table, table["score"], drawn(table))
    whole = ranked.each(lambda roc: roc.partial_auc(0.8))
    monkeypatch.setattr(bootstrap, "N_CELLS", 700)

    np.testing.assert_array_equal(ranked.each(lambda roc: roc.partial_auc(0.8)), whole)


def test_some_of_the_lesions_are_ranked_by_the_patients_of_all():
    table = lesions(0)
    resamples, some = drawn(table), table[table.index % 2 == 0]
    found = ranking.rank(some, some["score"], resamples).each(lambda roc: roc.auc())
    again = written_out(some, resamples, 7)

    assert found[7] == pytest.approx(metrics.auc(again["target"], again["score"]), abs=1e-12)


def test_a_score_that_is_not_finite_is_refused():
    table = lesions(0)
    with pytest.raises(ValueError, match="score must be finite"):
        ranking.rank(table, table["score"].where(table.index > 3), drawn(table))


def test_a_lesion_of_an_unknown_patient_is_refused():
    table = lesions(0)
    with pytest.raises(ValueError, match="patient that was resampled"):
        ranking.rank(table.assign(patient_id="IP_x"), table["score"], drawn(table))


def test_without_positives_in_a_resample_its_rates_are_undefined():
    """Where a subgroup's only cancer is not drawn, nothing can be said."""
    table = lesions(0)
    resamples = drawn(table)
    one = table[(table["target"] == 0) | (table.index == table.index[table["target"] == 1][0])]
    ranked = ranking.rank(one, one["score"], resamples)
    absent = bootstrap.totals(one[["target"]].to_numpy().T, one, resamples)[0] == 0

    assert absent.any()
    for statistic, _ in STATISTICS.values():
        np.testing.assert_array_equal(np.isnan(ranked.each(statistic)), absent)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    """Patients' effects make lesions alike: intervals over lesions would cover too rarely."""
    rng, covered, n = np.random.default_rng(0), 0, 120
    for seed in range(n):
        effect = np.repeat(rng.normal(0, 1, 60), 10)
        target = np.repeat(np.arange(60) < 30, 10).astype(int)
        table = pd.DataFrame({"patient_id": np.repeat(np.arange(60), 10).astype(str)})
        table["target"], score = target, target + effect + rng.normal(0, 0.3, 600)
        found = bootstrap.interval(
            ranking.rank(table, score, drawn(table, n=200, seed=seed)).each(lambda r: r.auc()),
            0.95,
        )
        truth = 0.7511  # P(N(1, 2 * 1.09) > 0), of two lesions of two patients
        covered += found["low"] <= truth <= found["high"]
    assert 0.88 * n <= covered <= n
