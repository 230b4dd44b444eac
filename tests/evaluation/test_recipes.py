"""evaluation.recipes: what several trainings of two recipes tell, in words."""

import re

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML
from scipy.special import expit
from scipy.stats import t
from tests.evaluation.test_retraining import run as scored
from tests.resampling import params
from tests.test_pipeline import ROOT

from skinlesion.errors import InputError
from skinlesion.evaluation import measurement, recipes, retraining, runs

DEFAULTS = YAML(typ="safe").load(ROOT / "params.yaml")
BLOCKS = recipes.Blocks(
    measure=params(),
    evaluate=measurement.Params(**DEFAULTS["evaluate"]),
)


def run(seed: int, **changes):
    table = scored(seed, **changes)
    return table.assign(score=expit(table["score"]))


def text(*pairs) -> str:
    given = [recipes.Pair(*pair, f"old-{i}") for i, pair in enumerate(pairs)]
    return recipes.text(given, BLOCKS, first="old", second="new")


@pytest.fixture
def folds(monkeypatch):
    """Give each run the folds of a table."""

    def give(table: pd.DataFrame) -> None:
        monkeypatch.setattr(runs, "folds", lambda source, path: table)

    return give


def limits(said: str) -> tuple[float, float]:
    """The interval over trainings of the AUC, the last line."""
    low, high = re.search(r"\(([-+.\d]+) to ([-+.\d]+)\)", said.splitlines()[-1]).groups()
    return float(low), float(high)


def test_one_training_of_one_fold_is_compared_over_patients_and_in_use_only():
    said = text((run(0, n_folds=1), run(0, noise=1.0, n_folds=1)))

    assert [line.split("  ")[0] for line in said.splitlines()[1:]] == [
        "pAUC",
        "AUC",
        "top-15 sensitivity",
        "lesions examined per cancer at sensitivity 0.8",
    ]


def by_hand(values: np.ndarray, ratio: float) -> tuple[float, float]:
    """Nadeau and Bengio's interval of the mean."""
    n, mean = len(values), values.mean()
    half = t.ppf(0.975, n - 1) * np.sqrt((1 / n + ratio) * values.var(ddof=1))
    return mean - half, mean + half


def test_several_folds_also_give_the_interval_over_trainings(folds):
    pair = (run(0), run(0, noise=1.0))
    folds(pair[0])
    said = text(pair)
    values = retraining.differences([pair], BLOCKS.measure)["auc"]
    n = pair[0].groupby("fold")["patient_id"].nunique().to_numpy()

    assert "3 pairs of trainings; new less old" in said
    assert limits(said) == pytest.approx(by_hand(values, (n / (n.sum() - n)).mean()), abs=5e-5)


def test_folds_that_are_clinics_of_other_sizes_count_by_their_patients(folds):
    """Two thirds of the patients are of one clinic; a third clinic is never left out."""
    pair = tuple(table.assign(fold=table["fold"] // 2) for table in (run(0), run(0, noise=1.0)))
    small = pair[0][:30].assign(fold=2)
    small[["isic_id", "patient_id"]] = "other " + small[["isic_id", "patient_id"]]
    every = pd.concat([pair[0], small])
    folds(every)
    values = retraining.differences([pair], BLOCKS.measure)["auc"]
    a, b, c = (every.loc[every["fold"] == k, "patient_id"].nunique() for k in range(3))
    ratio = (a / (b + c) + b / (a + c)) / 2

    assert limits(text(pair)) == pytest.approx(by_hand(values, ratio), abs=5e-5)


def test_seeds_on_a_holdout_are_trained_on_fewer_lesions_and_so_surer_of_less(folds):
    pairs = [(run(0).assign(fold=-1), run(0, noise=n).assign(fold=-1)) for n in (0.8, 1.2)]
    others = run(1).assign(isic_id=lambda t: "other " + t["isic_id"])
    folds(pd.concat([pairs[0][0], others]))
    values = retraining.differences(pairs, BLOCKS.measure)["auc"]
    n, n_held_out = others["patient_id"].nunique(), pairs[0][0]["patient_id"].nunique()

    expected = by_hand(values, n_held_out / (n * 2 / 3))
    assert limits(text(*pairs)) == pytest.approx(expected, abs=5e-5)


def test_without_the_folds_of_the_runs_there_is_no_interval_over_trainings(folds):
    pair = (run(0), run(0, noise=1.0))
    folds(run(0).assign(fold=0))
    last = text(pair).splitlines()[-1]

    assert last.startswith("no interval over trainings. the folds must")


def test_the_mean_of_equal_trainings_is_one_of_them(folds):
    one, other = run(0, n_folds=1), run(0, noise=1.0, n_folds=1)
    folds(one.assign(fold=-1))
    shuffled = other.sample(frac=1, random_state=0)

    assert text((one, other), (one, shuffled)).splitlines()[1] == text((one, other)).splitlines()[1]


def test_both_recipes_must_have_as_many_trainings():
    with pytest.raises(InputError, match=r"as many trainings\. Got 2 and 1"):
        recipes.read(["a", "b"], ["c"], "oof.csv")


def test_runs_of_other_folds_are_compared_over_patients_all_the_same(folds):
    one, other = run(0), run(0, noise=1.0).assign(fold=lambda t: t["fold"] % 2)
    folds(one)
    said = text((one, other))

    assert "AUC" in said
    assert "no interval over trainings. two runs must have the same folds" in said
