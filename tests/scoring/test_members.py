"""scoring.members: the table expert's scores, each of a model that did not see the lesion."""

import numpy as np
import pandas as pd
import pytest
from tests import boost_numbers

from skinlesion.boosting import expert, fold, matrix
from skinlesion.scoring import members


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Numbers, and experts of folds 0 and 1."""
    folder = tmp_path_factory.mktemp("numbers")
    boost_numbers.write(folder)
    (folder / "test.parquet").write_bytes((folder / "train.parquet").read_bytes())
    for k in (0, 1):
        result = fold.fit(k, folder / "folds.csv", folder, boost_numbers.params())
        expert.save(folder / f"experts/fold-{k}", result.facts, result.fitted)
    return folder


@pytest.fixture(scope="module")
def tables(folder):
    return members.load(folder / "experts", [0, 1])


@pytest.fixture(scope="module")
def folds(folder):
    return pd.read_csv(folder / "folds.csv")


def logits(folder, tables, k: int) -> pd.Series:
    e = tables.experts[k]
    [piece] = matrix.pieces(folder / "train.parquet", e.columns, e.categories)
    return pd.Series(e.logits(piece.values).context, piece.isic_ids)


def test_a_lesion_is_scored_by_the_model_that_did_not_see_it_and_the_holdout_by_all(
    folder, tables, folds
):
    found = members.score(tables, folder / "train.parquet", folds).set_index("isic_id")["table"]
    found = np.log(found / (1 - found))
    own = {k: logits(folder, tables, k) for k in (0, 1)}
    of = {k: folds.loc[folds["fold"] == k, "isic_id"] for k in (-1, 0, 1, 2)}
    for k in (0, 1):
        np.testing.assert_allclose(found[of[k]], own[k][of[k]])
    np.testing.assert_allclose(found[of[-1]], (own[0] + own[1])[of[-1]] / 2)
    assert not set(of[2]) & set(found.index)


def test_the_test_set_is_scored_by_all(folder, tables):
    found = members.score(tables, folder / "test.parquet")
    mean = (logits(folder, tables, 0) + logits(folder, tables, 1)) / 2
    assert list(found) == [*("isic_id", "table", "table_sd_folds", "table_alone", "table_sd_seeds")]
    np.testing.assert_allclose(np.log(found["table"] / (1 - found["table"])), mean)


def test_the_spread_is_that_over_folds_and_over_seeds(folder, tables):
    found = members.score(tables, folder / "test.parquet")
    by_fold = np.array([logits(folder, tables, k) for k in (0, 1)])
    seeds = []
    for e in tables.experts.values():
        [piece] = matrix.pieces(folder / "train.parquet", e.columns, e.categories)
        seeds.append(e.logits(piece.values).spread)
    np.testing.assert_allclose(found["table_sd_folds"], by_fold.std(0, ddof=1))
    np.testing.assert_allclose(found["table_sd_seeds"], np.sqrt(np.mean(np.square(seeds), 0)))


def test_tables_are_written_with_the_columns_that_there_are_models_of(
    folder, tables, folds, tmp_path
):
    members.write(tables, folder, folds, tmp_path)
    n = {
        name: len(pd.read_csv(tmp_path / f"table-{name}.csv"))
        for name in ("test", "holdout", "oof")
    }
    expected = {"test": 600, "holdout": (folds["fold"] == -1).sum()}
    assert n == expected | {"oof": folds["fold"].isin([0, 1]).sum()}


def test_without_models_the_tables_have_no_rows(folder, folds, tmp_path):
    members.write(members.Tables({}, {}), folder, folds, tmp_path)
    for name in ("test", "holdout", "oof"):
        assert (tmp_path / f"table-{name}.csv").read_text() == "isic_id\n"
