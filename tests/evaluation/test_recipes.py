"""evaluation.recipes: what several trainings of two recipes tell, in words."""

import re

import pytest
from ruamel.yaml import YAML
from scipy.special import expit
from tests.evaluation.test_retraining import run as scored
from tests.resampling import params
from tests.test_pipeline import ROOT

from skinlesion.dataset import partition
from skinlesion.errors import InputError
from skinlesion.evaluation import measurement, recipes, retraining

DEFAULTS = YAML(typ="safe").load(ROOT / "params.yaml")
BLOCKS = recipes.Blocks(
    measure=params(),
    split=partition.Params(**DEFAULTS["split"] | {"n_folds": 3, "train_folds": [0, 1, 2]}),
    evaluate=measurement.Params(**DEFAULTS["evaluate"]),
)


def run(seed: int, **changes):
    table = scored(seed, **changes)
    return table.assign(score=expit(table["score"]))


def text(*pairs) -> str:
    return recipes.text(pairs, BLOCKS, first="old", second="new")


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


def test_several_folds_also_give_the_interval_over_trainings():
    pair = (run(0), run(0, noise=1.0))
    said = text(pair)
    found = retraining.differences([pair], BLOCKS.measure)["auc"]
    expected = retraining.corrected(found, n_test_by_n_train=1 / 2, confidence=0.95)

    assert "3 pairs of trainings; new less old" in said
    assert limits(said) == pytest.approx((expected["low"], expected["high"]), abs=5e-5)


def test_seeds_on_a_holdout_are_trained_on_fewer_lesions_and_so_surer_of_less():
    pairs = [(run(0).assign(fold=-1), run(0, noise=n).assign(fold=-1)) for n in (0.8, 1.2)]
    found = retraining.differences(pairs, BLOCKS.measure)["auc"]
    ratio = 0.3 / (0.7 * 2 / 3)
    expected = retraining.corrected(found, n_test_by_n_train=ratio, confidence=0.95)

    assert limits(text(*pairs)) == pytest.approx((expected["low"], expected["high"]), abs=5e-5)


def test_the_mean_of_equal_trainings_is_one_of_them():
    one, other = run(0, n_folds=1), run(0, noise=1.0, n_folds=1)
    shuffled = other.sample(frac=1, random_state=0)

    assert text((one, other), (one, shuffled)).splitlines()[1] == text((one, other)).splitlines()[1]


def test_both_recipes_must_have_as_many_trainings():
    with pytest.raises(InputError, match=r"as many trainings\. Got 2 and 1"):
        recipes.read(["a", "b"], ["c"], "oof.csv")
