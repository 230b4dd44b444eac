"""reporting.explanations: what explains the ranking is read whole, or refused by name."""

import base64

import pandas as pd
import pytest
from tests import report_files

from skinlesion.errors import InputError
from skinlesion.reporting import explanations

# === Importance ===


@pytest.mark.parametrize("seed", range(5))
def test_what_matters_most_comes_first_whatever_the_order_of_the_rows(files, seed):
    path = files / "explanations" / "importance.csv"
    first = explanations.importance(files / "explanations/importance.csv")
    report_files.change(path, lambda table: table.sample(frac=1, random_state=seed))
    found = explanations.importance(files / "explanations/importance.csv")
    assert found == first
    assert [row["feature"] for row in found] == report_files.FEATURES
    assert found[0]["within"]["auc"] == pytest.approx({"value": 0.08, "low": 0.06, "high": 0.1})


def test_what_is_not_known_of_a_drop_is_none(files):
    path = files / "explanations" / "importance.csv"
    report_files.change(path, lambda table: table.assign(auc_low=None, auc_high=None))
    drop = explanations.importance(files / "explanations/importance.csv")[0]["across"]["auc"]
    assert drop == {"value": 0.08, "low": None, "high": None}


def test_a_feature_that_was_permuted_in_one_way_only_is_an_error(files):
    path = files / "explanations" / "importance.csv"
    report_files.change(path, lambda table: table.drop(index=3))
    with pytest.raises(InputError, match=r"importance\.csv must have 'clin_size_long_diam_mm'"):
        explanations.importance(files / "explanations/importance.csv")


# === Gallery ===


def gallery(files) -> list[dict]:
    return explanations.gallery(files / "explanations", files / "calibrated" / "holdout.csv")


def test_tiles_come_as_data_uris_with_the_probability_of_their_lesion(files):
    report_files.change(files / "calibrated" / "holdout.csv", lambda table: table.iloc[::-1])
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
    report_files.change(files / "calibrated" / "holdout.csv", lambda table: table.iloc[:2])
    with pytest.raises(InputError, match=r"holdout\.csv must have ISIC_0000002"):
        gallery(files)


# === The table expert ===


def test_without_a_table_expert_its_importance_is_empty(files):
    path = files / "explanations/table-importance.csv"
    assert (
        len(explanations.table_importance(files / "explanations")) == len(report_files.FEATURES) - 1
    )
    pd.read_csv(path)[:0].to_csv(path, index=False)
    assert explanations.table_importance(files / "explanations") == []


def test_what_speaks_for_and_against_a_lesion_stands_with_it(files):
    shown = explanations.gallery(files / "explanations", files / "calibrated/holdout.csv")
    assert [r["number"] for r in shown[0]["reasons"]["for"]] == ["tbp_lv_H", "log_area"]
    assert [r["number"] for r in shown[0]["reasons"]["against"]] == ["age_approx"]
    assert shown[1]["reasons"] == {}
