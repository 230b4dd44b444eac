"""reporting.inputs: what the page shows is read whole, or refused by name."""

import hashlib
import shutil

import pandas as pd
import pytest
from tests import report_files

from skinlesion.dataset import fold_seed
from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.errors import InputError
from skinlesion.reporting import inputs

# === Curves ===


def test_curves_are_those_of_the_set_asked_for(files):
    found = inputs.curves(files / "plots", "holdout")
    for name, table in report_files.curves().items():
        pd.testing.assert_frame_equal(found[name], table, check_dtype=False)
    with pytest.raises(InputError, match=r"oof_roc\.csv"):
        inputs.curves(files / "plots", "oof")


@pytest.mark.parametrize("name", report_files.curves())
def test_a_curve_without_points_or_without_a_column_is_an_error(files, name):
    path = files / "plots" / f"holdout_{name}.csv"
    column = pd.read_csv(path).columns[-1]
    report_files.change(path, lambda table: table.iloc[:0])
    with pytest.raises(InputError, match=rf"holdout_{name}\.csv must have rows"):
        inputs.curves(files / "plots", "holdout")
    report_files.change(path, lambda table: table.drop(columns=column))
    with pytest.raises(InputError, match=rf"holdout_{name}\.csv must have a column '{column}'"):
        inputs.curves(files / "plots", "holdout")


# === Folds ===


def test_each_fold_comes_with_its_facts_and_epochs(files):
    found = inputs.folds(files / "models", files / "train", fold_seed.every([1, 0], 1))

    assert list(found) == [(0, 0), (1, 0)]
    assert found[FoldSeed(1)].facts.validation["validation/pauc"] == pytest.approx(0.1362)
    assert list(found[FoldSeed(0)].epochs) == ["training", "validation", "pauc"]
    assert len(found[FoldSeed(0)].epochs) == 14
    assert found[FoldSeed(0)].epochs["training"].iloc[0] == pytest.approx(0.8)


@pytest.mark.parametrize("folder", ["models", "train"])
def test_a_fold_of_an_earlier_setting_is_an_error_that_says_how_to_remove_it(files, folder):
    shutil.rmtree(files / ({"models", "train"} - {folder}).pop() / "fold-1")
    with pytest.raises(InputError, match=rf"train_folds = \[0\] only.*rm -r .*{folder}/fold-1$"):
        inputs.folds(files / "models", files / "train", fold_seed.every([0], 1))


def test_a_fold_that_is_absent_is_an_error_that_names_its_file(files):
    with pytest.raises(InputError, match=r"fold-2 must be a model"):
        inputs.folds(files / "models", files / "train", fold_seed.every([0, 1, 2], 1))
    (files / "models/fold-1/facts.json").unlink()
    with pytest.raises(InputError, match=r"fold-1/facts\.json"):
        inputs.folds(files / "models", files / "train", fold_seed.every([0, 1], 1))


@pytest.mark.parametrize("text", ["", "step\tother\n0\t1\n", "nothing"])
def test_a_log_without_its_values_is_an_error_that_names_it(files, text):
    (files / "train/fold-0/plots/metrics/validation/pauc.tsv").write_text(text)
    with pytest.raises(InputError, match=r"pauc\.tsv must be a table of step and pauc"):
        inputs.folds(files / "models", files / "train", fold_seed.every([0, 1], 1))


# === Hashes ===


def test_every_file_of_the_inputs_is_hashed_in_order(files):
    found = inputs.md5([files / "params.yaml", files / "explanations"])
    names = sorted(path.name for path in (files / "explanations").iterdir())
    assert [path.rsplit("/", 1)[1] for path in found] == ["params.yaml", *names]
    content = (files / "params.yaml").read_bytes()
    assert found[(files / "params.yaml").as_posix()] == hashlib.md5(content).hexdigest()
