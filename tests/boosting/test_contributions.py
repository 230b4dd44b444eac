"""boosting.contributions: what the columns give sums to the logit; each column has words."""

import numpy as np
import pandas as pd
import pytest
from tests import boost_numbers

from skinlesion.boosting import contributions, expert, fold, matrix
from skinlesion.boosting.columns import choose
from skinlesion.derivation import plan


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("numbers")
    boost_numbers.write(folder)
    return folder


def test_with_the_expected_value_they_sum_to_the_logit_in_either_mode(folder):
    result = fold.fit(0, folder / "folds.csv", folder, boost_numbers.params())
    expert.save(folder / "fold-0", result.facts, result.fitted)
    e = expert.load(folder / "fold-0")
    ids = pd.Index(pd.read_csv(folder / "folds.csv")["isic_id"][:40])
    values = matrix.read(folder / "train.parquet", e.columns, e.categories, ids).values
    values[::3, e.columns.n_alone :] = np.nan  # these are known alone
    total = contributions.of(e, values).sum(1)
    for mode, rows in (
        (expert.CONTEXT, np.arange(40) % 3 != 0),
        (expert.ALONE, np.arange(40) % 3 == 0),
    ):
        ensemble, n = e.ensembles[mode], e.columns.n_alone if mode == expert.ALONE else None
        given = np.ascontiguousarray(values[:1, :n])
        base = np.mean([b.predict(given, pred_contrib=True)[0, -1] for b in ensemble.boosters])
        found = total[rows] + base - ensemble.prior_shift
        np.testing.assert_allclose(found, e.logits(values).context[rows])


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("tbp_lv_H", "tbp_lv_H"),
        (
            "tbp_lv_H|z|patient",
            "tbp_lv_H, standard deviations from the mean of the patient's lesions",
        ),
        ("n_lesions|patient_site", "n_lesions of the patient's lesions at the site"),
    ],
)
def test_a_number_is_named_in_words(number, words):
    assert contributions.named(number) == words


def test_every_number_of_a_plan_can_be_named(folder):
    for name in choose(plan.load(folder), ["table", "tile"]).names:
        assert "|" not in contributions.named(name)
