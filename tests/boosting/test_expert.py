"""boosting.expert: a folder of text, and scores beside the patient's others and alone."""

import shutil

import numpy as np
import pandas as pd
import pytest
from tests import boost_numbers

from skinlesion.boosting import expert, fold, matrix
from skinlesion.errors import InputError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Numbers, and an expert of fold 0."""
    folder = tmp_path_factory.mktemp("numbers")
    boost_numbers.write(folder)
    result = fold.fit(0, folder / "folds.csv", folder, boost_numbers.params())
    expert.save(folder / "experts/fold-0", result.facts, result.fitted)
    expert.save(folder / "again/fold-0", result.facts, result.fitted)
    return folder


@pytest.fixture(scope="module")
def loaded(folder):
    return expert.load(folder / "experts/fold-0")


@pytest.fixture(scope="module")
def values(folder, loaded):
    ids = pd.Index(pd.read_csv(folder / "folds.csv")["isic_id"])
    read = matrix.read(folder / "train.parquet", loaded.columns, loaded.categories, ids)
    return read.values


def test_all_files_are_text_and_the_same_each_time(folder):
    names = sorted(path.name for path in (folder / "experts/fold-0").iterdir())
    assert names == [*(f"{m}-{s}.txt" for m in ("alone", "context") for s in (0, 1)), "facts.json"]
    for name in names:
        one, other = (folder / where / "fold-0" / name for where in ("experts", "again"))
        assert one.read_text() == other.read_text()


def test_what_was_saved_scores_alike(folder, loaded, values):
    result = fold.fit(0, folder / "folds.csv", folder, boost_numbers.params())
    own = values[:, : loaded.columns.n_alone]
    fitted = result.fitted[expert.ALONE].ensemble.logits(own)
    np.testing.assert_array_equal(loaded.logits(values).alone, fitted)


def test_a_lesion_without_relative_numbers_is_scored_as_if_alone(loaded, values):
    alone = values.copy()
    alone[::2, loaded.columns.n_alone :] = np.nan
    scores, before = loaded.logits(alone), loaded.logits(values)
    np.testing.assert_array_equal(scores.context[::2], scores.alone[::2])
    np.testing.assert_array_equal(scores.context[1::2], before.context[1::2])
    np.testing.assert_array_equal(scores.alone, before.alone)
    assert (before.context != before.alone).any()


def test_each_lesion_is_scored_by_itself(loaded, values):
    whole = loaded.logits(values)
    for row in (0, 5):
        assert loaded.logits(values[[row]]).context[0] == whole.context[row]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: (f / "facts.json").unlink(), r"must be the facts of a table expert"),
        (lambda f: (f / "facts.json").write_text("{}"), r"must be the facts of a table expert"),
        (lambda f: (f / "alone-1.txt").unlink(), r"alone-1.txt must be a model of LightGBM"),
        (lambda f: (f / "alone-1.txt").write_text("x"), r"alone-1.txt must be a model of LightGBM"),
    ],
)
def test_a_file_that_is_absent_or_malformed_is_named(folder, tmp_path, spoil, said):
    shutil.copytree(folder / "experts/fold-0", tmp_path / "fold-0")
    spoil(tmp_path / "fold-0")
    with pytest.raises(InputError, match=said):
        expert.load(tmp_path / "fold-0")


def test_the_folds_expected_must_be_there_and_no_others(folder):
    assert list(expert.load_folds(folder / "experts", expected=[0])) == [0]
    with pytest.raises(InputError, match=r"fold-1 must be a model\. There is none"):
        expert.load_folds(folder / "experts", expected=[0, 1])
    with pytest.raises(InputError, match=r"Got .*fold-0, of an earlier setting; .* rm -r"):
        expert.load_folds(folder / "experts", expected=[1])


def test_an_expert_that_had_nothing_to_learn_from_is_none(tmp_path):
    facts = expert.Facts(own=[], relative=[], categories={}, modes={}, versions={})
    expert.save(tmp_path / "fold-0", facts, {})
    assert expert.load_folds(tmp_path, expected=[0]) == {}
