"""reporting.inputs: what the page shows is read whole, or refused by name."""

import base64
import hashlib
import shutil

import pandas as pd
import pytest
from tests import report_files

from skinlesion.errors import InputError
from skinlesion.reporting import inputs


@pytest.fixture
def files(tmp_path):
    """The files of a report, to be spoilt."""
    folder = tmp_path / "files"
    report_files.write(folder, n_folds=2)
    return folder


def change(path, edit) -> None:
    """Change a table in its file."""
    edit(pd.read_csv(path)).to_csv(path, index=False)


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
    change(path, lambda table: table.iloc[:0])
    with pytest.raises(InputError, match=rf"holdout_{name}\.csv must have rows"):
        inputs.curves(files / "plots", "holdout")
    change(path, lambda table: table.drop(columns=column))
    with pytest.raises(InputError, match=rf"holdout_{name}\.csv must have a column '{column}'"):
        inputs.curves(files / "plots", "holdout")


# === Importance ===


@pytest.mark.parametrize("seed", range(5))
def test_what_matters_most_comes_first_whatever_the_order_of_the_rows(files, seed):
    path = files / "explanations" / "importance.csv"
    first = inputs.importance(files / "explanations/importance.csv")
    change(path, lambda table: table.sample(frac=1, random_state=seed))
    found = inputs.importance(files / "explanations/importance.csv")
    assert found == first
    assert [row["feature"] for row in found] == report_files.FEATURES
    assert found[0]["within"]["auc"] == pytest.approx({"value": 0.08, "low": 0.06, "high": 0.1})


def test_what_is_not_known_of_a_drop_is_none(files):
    path = files / "explanations" / "importance.csv"
    change(path, lambda table: table.assign(auc_low=None, auc_high=None))
    drop = inputs.importance(files / "explanations/importance.csv")[0]["across"]["auc"]
    assert drop == {"value": 0.08, "low": None, "high": None}


def test_a_feature_that_was_permuted_in_one_way_only_is_an_error(files):
    path = files / "explanations" / "importance.csv"
    change(path, lambda table: table.drop(index=3))
    with pytest.raises(InputError, match=r"importance\.csv must have 'clin_size_long_diam_mm'"):
        inputs.importance(files / "explanations/importance.csv")


# === Gallery ===


def gallery(files) -> list[dict]:
    return inputs.gallery(files / "explanations", files / "calibrated" / "holdout.csv")


def test_tiles_come_as_data_uris_with_the_probability_of_their_lesion(files):
    change(files / "calibrated" / "holdout.csv", lambda table: table.iloc[::-1])
    risks = pd.read_csv(files / "calibrated" / "holdout.csv").set_index("isic_id")["probability"]
    found = gallery(files)
    assert len(found) == 4
    for record in found:
        assert record["probability"] == risks[record["isic_id"]]
        for key, name in [("tile", ""), ("occlusion", "-occlusion")]:
            head, encoded = record[key].split(",")
            assert head == "data:image/png;base64"
            path = files / "explanations" / f"{record['isic_id']}{name}.png"
            assert base64.b64decode(encoded) == path.read_bytes()


def test_without_an_image_branch_there_is_no_map(tmp_path):
    report_files.write(tmp_path / "files", images=False)
    found = gallery(tmp_path / "files")
    assert {(record["occlusion"], record["largest_drop"]) for record in found} == {("", None)}


def test_an_absent_picture_is_an_error_that_names_it(files):
    (files / "explanations" / "ISIC_0000001-occlusion.png").unlink()
    with pytest.raises(InputError, match=r"ISIC_0000001-occlusion\.png must be a picture"):
        gallery(files)


def test_a_lesion_without_a_probability_is_an_error_that_names_it(files):
    change(files / "calibrated" / "holdout.csv", lambda table: table.iloc[:2])
    with pytest.raises(InputError, match=r"holdout\.csv must have ISIC_0000002"):
        gallery(files)


# === Folds ===


def test_each_fold_comes_with_its_facts_and_epochs(files):
    found = inputs.folds(files / "models", files / "train", [1, 0])
    assert list(found) == [0, 1]
    assert found[1].facts.validation["validation/pauc"] == pytest.approx(0.1362)
    assert list(found[0].epochs) == ["training", "validation", "pauc"]
    assert len(found[0].epochs) == 14
    assert found[0].epochs["training"].iloc[0] == pytest.approx(0.8)


@pytest.mark.parametrize("folder", ["models", "train"])
def test_a_fold_of_an_earlier_setting_is_an_error_that_says_how_to_remove_it(files, folder):
    shutil.rmtree(files / ({"models", "train"} - {folder}).pop() / "fold-1")
    with pytest.raises(InputError, match=rf"train_folds = \[0\] only.*rm -r .*{folder}/fold-1$"):
        inputs.folds(files / "models", files / "train", [0])


def test_a_fold_that_is_absent_is_an_error_that_names_its_file(files):
    with pytest.raises(InputError, match=r"fold-2/facts\.json"):
        inputs.folds(files / "models", files / "train", [0, 1, 2])
    shutil.rmtree(files / "train" / "fold-1")
    with pytest.raises(InputError, match=r"fold-1/plots/metrics/train/loss\.tsv must be a table"):
        inputs.folds(files / "models", files / "train", [0, 1])


@pytest.mark.parametrize("text", ["", "step\tother\n0\t1\n", "nothing"])
def test_a_log_without_its_values_is_an_error_that_names_it(files, text):
    (files / "train/fold-0/plots/metrics/validation/pauc.tsv").write_text(text)
    with pytest.raises(InputError, match=r"pauc\.tsv must be a table of step and pauc"):
        inputs.folds(files / "models", files / "train", [0, 1])


# === Hashes ===


def test_every_file_of_the_inputs_is_hashed_in_order(files):
    found = inputs.md5([files / "params.yaml", files / "explanations"])
    names = sorted(path.name for path in (files / "explanations").iterdir())
    assert [path.rsplit("/", 1)[1] for path in found] == ["params.yaml", *names]
    content = (files / "params.yaml").read_bytes()
    assert found[(files / "params.yaml").as_posix()] == hashlib.md5(content).hexdigest()


def test_without_a_table_expert_its_importance_is_empty(files):
    path = files / "explanations/table-importance.csv"
    assert len(inputs.table_importance(files / "explanations")) == len(report_files.FEATURES) - 1
    pd.read_csv(path)[:0].to_csv(path, index=False)
    assert inputs.table_importance(files / "explanations") == []


def test_what_speaks_for_and_against_a_lesion_stands_with_it(files):
    shown = inputs.gallery(files / "explanations", files / "calibrated/holdout.csv")
    assert [r["number"] for r in shown[0]["reasons"]["for"]] == ["tbp_lv_H", "log_area"]
    assert [r["number"] for r in shown[0]["reasons"]["against"]] == ["age_approx"]
    assert shown[1]["reasons"] == {}
