"""explanation.table_expert: what the numbers give, and what speaks for and against a lesion."""

import numpy as np
import pandas as pd
import pytest
from tests import boost_numbers

from skinlesion.boosting import expert, fold
from skinlesion.evaluation import bootstrap
from skinlesion.explanation import files, permutation, table_expert

P = permutation.Params(
    n_permutations=2, max_negatives=1000, n_shown=2, patch_fraction=0.25, batch_size=8, seed=0
)
RESAMPLING = bootstrap.Params(min_tpr=0.8, n_resamples=20, confidence=0.9, seed=0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("numbers")
    boost_numbers.write(folder)
    for k in (0, 1):
        result = fold.fit(k, folder / "folds.csv", folder, boost_numbers.params())
        expert.save(folder / f"experts/fold-{k}", result.facts, result.fitted)
    return folder


@pytest.fixture(scope="module")
def lesions(folder):
    return pd.read_csv(folder / "folds.csv").query("fold in [-1, 0, 1]").reset_index(drop=True)


@pytest.fixture(scope="module")
def scorers(folder, lesions):
    experts = expert.load_folds(folder / "experts", expected=[0, 1])
    return table_expert.read(experts, lesions, folder / "train.parquet")


def test_the_number_that_tells_matters_and_noise_does_not(scorers, lesions):
    found = table_expert.importance(scorers, lesions, P, RESAMPLING)
    drop = found[found["permuted"] == "across"].set_index("feature")["auc_drop"]
    assert drop.idxmax() == "tbp_lv_H"
    assert drop["tbp_lv_H"] > 0.1 > 5 * abs(drop["tbp_lv_L"])


def test_a_number_is_permuted_with_all_that_is_relative_to_it(scorers):
    s = scorers[0]
    order = np.random.default_rng(0).permutation(len(s.rows))
    names = s.expert.columns.names
    values = s.values.copy()
    for name in ("tbp_lv_H", "tbp_lv_H|z|patient"):
        values[:, names.index(name)] = s.values[order, names.index(name)]
    np.testing.assert_array_equal(s.permuted("tbp_lv_H", order), s.expert.logits(values).context)
    same = np.arange(len(s.rows))
    np.testing.assert_array_equal(s.permuted("tbp_lv_H", same), s.expert.logits(s.values).context)


def test_what_speaks_for_a_cancer_is_positive_and_what_speaks_against_it_negative(scorers, lesions):
    found = table_expert.reasons(scorers, lesions)
    assert (found["contribution"] > 0).equals(found["side"] == "for")
    assert found.groupby(["isic_id", "side"]).size().max() <= table_expert.N_REASONS
    assert set(found["isic_id"]) == set(lesions["isic_id"])
    largest = found[found["side"] == "for"].sort_values("contribution").iloc[-1]
    assert largest["number"].startswith(("tbp_lv_H", "sex"))


def test_each_lesion_is_read_in_its_own_row(folder, scorers, lesions):
    table = pd.read_parquet(folder / "train.parquet").set_index("isic_id")["tbp_lv_H"]
    for s in scorers:
        own = lesions["isic_id"].iloc[s.rows]
        np.testing.assert_array_equal(s.values[:, 0], table.loc[own])


def test_without_an_expert_there_is_nothing_to_explain(folder, lesions, tmp_path):
    job = table_expert.Job(lesions, lesions, P, RESAMPLING)
    none = expert.Facts(own=[], relative=[], categories={}, modes={}, versions={})
    expert.save(tmp_path / "experts/fold-0", none, {})
    given = files.Files(tmp_path, tmp_path, tmp_path / "experts", folder)
    table_expert.write(given, [0], job, tmp_path)
    assert pd.read_csv(tmp_path / "table-reasons.csv").empty
    assert pd.read_csv(tmp_path / "table-importance.csv").columns[0] == "feature"
