"""boosting.fold: fitted on a fold's training lesions only; a useless expert is refused."""

import numpy as np
import pandas as pd
import pytest
from tests import boost_numbers
from tests.boost_numbers import params

from skinlesion.boosting import expert, fold
from skinlesion.derivation import plan
from skinlesion.errors import InputError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("numbers")
    boost_numbers.write(folder)
    return folder


@pytest.fixture(scope="module")
def result(folder):
    return fold.fit(0, folder / "folds.csv", folder, params())


def texts(result: fold.Result) -> list[str]:
    return [b.model_to_string() for f in result.fitted.values() for b in f.ensemble.boosters]


def test_beside_its_patients_others_a_lesion_is_ranked_better_than_alone(result):
    """Each patient has a level of its own, so only what is relative to it tells."""
    assert result.facts.modes[expert.CONTEXT].auc > result.facts.modes[expert.ALONE].auc + 0.05


def test_the_holdout_and_the_fold_left_out_are_not_learnt_from(folder, result, tmp_path):
    folds = pd.read_csv(folder / "folds.csv")
    unseen = folds["fold"].isin([-1, 0])
    rng = np.random.default_rng(0)
    shuffled = folds.assign(target=folds["target"].where(~unseen, rng.permutation(folds["target"])))
    shuffled.to_csv(tmp_path / "folds.csv", index=False)
    assert texts(fold.fit(0, tmp_path / "folds.csv", folder, params())) == texts(result)


def test_the_order_of_the_files_changes_no_bit(folder, result, tmp_path):
    folds = pd.read_csv(folder / "folds.csv").sample(frac=1, random_state=0)
    folds.to_csv(tmp_path / "folds.csv", index=False)
    assert texts(fold.fit(0, tmp_path / "folds.csv", folder, params())) == texts(result)


def test_where_each_patient_has_one_lesion_there_is_no_model_of_context(tmp_path):
    boost_numbers.write(tmp_path, of_one=True)
    found = fold.fit(0, tmp_path / "folds.csv", tmp_path, params())
    assert list(found.fitted) == [expert.ALONE]


def test_without_numbers_there_is_no_expert_and_a_line_says_so(tmp_path):
    boost_numbers.write(tmp_path)
    empty = plan.load(tmp_path).model_copy(update={"base": [], "relative": [], "categorical": []})
    (tmp_path / "plan.json").write_text(empty.model_dump_json())
    found = fold.fit(0, tmp_path / "folds.csv", tmp_path, params())
    assert found.fitted == {}
    assert "no table expert" in fold.summary(0, found, params())


def test_without_numbers_of_the_lesion_itself_there_is_no_expert_either(tmp_path):
    """A lesion alone could not be scored."""
    boost_numbers.write(tmp_path)
    counted = {"base": [], "relative": ["n_lesions|patient"], "categorical": []}
    (tmp_path / "plan.json").write_text(
        plan.load(tmp_path).model_copy(update=counted).model_dump_json()
    )
    found = fold.fit(0, tmp_path / "folds.csv", tmp_path, params())
    assert found.fitted == {}
    assert "no table expert" in fold.summary(0, found, params())


def test_a_line_says_how_well_each_mode_ranks(result):
    said = fold.summary(0, result, params())
    assert "each lesion alone pAUC" in said
    assert "beside its patient's others pAUC" in said
    assert "\n" not in said


# === Refusal ===


def ranked(n_positives: int, quality: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y_true = np.r_[np.ones(n_positives), np.zeros(2000)].astype(int)
    return y_true, rng.normal(quality * y_true, 1)


def test_a_model_that_ranks_at_random_is_refused_with_the_reason():
    said = r"pAUC of fold 3, .* must be at least boost\.min_pauc = 0\.05\. Got 0\.0"
    with pytest.raises(InputError, match=said):
        fold.require_useful(*ranked(200, 0.0), params(min_pauc=0.05), fold=3)


def test_a_model_that_ranks_well_passes_without_a_word():
    assert fold.require_useful(*ranked(200, 2.0), params(min_pauc=0.05), fold=3) is None


def test_few_positives_are_not_refused_for_what_may_be_chance_but_it_is_said():
    rng = np.random.default_rng(3)
    y_true = np.r_[np.ones(4), np.zeros(500)].astype(int)
    logits = np.r_[[-2.5, 1.5, 2.0, 2.5], rng.normal(0, 1, 500)]
    high = fold.require_useful(y_true, logits, params(min_pauc=0.05), fold=0)
    assert high is not None
    assert high >= 0.05


def test_the_limit_can_be_lifted():
    assert fold.require_useful(*ranked(200, 0.0), params(min_pauc=0.0), fold=3) is None
