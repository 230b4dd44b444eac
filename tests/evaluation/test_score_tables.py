"""evaluation.score_tables: the members' scores are read by isic_id, and laid out as one table."""

import numpy as np
import pandas as pd
import pytest
from tests.members import BOTH, drawn, params, spread

from skinlesion.errors import InputError
from skinlesion.evaluation import score_tables, stacking


def write(folder, lesions: pd.DataFrame, other: pd.DataFrame) -> None:
    for name in ("holdout", "oof"):
        lesions.assign(score=lesions["network"]).to_csv(folder / f"{name}.csv", index=False)
        other.to_csv(folder / f"table-{name}.csv", index=False)
    for name in ("holdout", "oof", "test"):
        spread = pd.DataFrame({"isic_id": lesions["isic_id"], "network_sd_views": 0.25})
        spread[::-1].to_csv(folder / f"network-{name}.csv", index=False)
    test = lesions[["isic_id"]].assign(target=lesions["network"])
    test.to_csv(folder / "submission.csv", index=False)
    other.to_csv(folder / "table-test.csv", index=False)


def test_scores_are_joined_by_isic_id(tmp_path):
    lesions = drawn(n=20)
    turned = lesions[["isic_id", "table", "table_alone"]][::-1]
    write(tmp_path, lesions.drop(columns=["table", "table_alone"]), turned)
    for found in score_tables.join(tmp_path).values():
        np.testing.assert_allclose(found["table"], lesions["table"])
        np.testing.assert_allclose(found["network"], lesions["network"])
        assert found["network_sd_views"].tolist() == [0.25] * 20


def test_a_lesion_that_the_table_expert_lacks_is_named(tmp_path):
    lesions = drawn(n=20)
    write(tmp_path, lesions, lesions[["isic_id", "table"]][1:])
    with pytest.raises(InputError, match=r"table-test.csv must hold .* ISIC_0000000 is absent"):
        score_tables.join(tmp_path)


def test_a_run_without_a_table_expert_has_the_network_only(tmp_path):
    lesions = drawn(n=20).drop(columns=["table", "table_alone"])
    write(tmp_path, lesions, lesions[["isic_id"]][:0])
    assert "table" not in score_tables.join(tmp_path)["oof"]


def test_marks_are_joined_by_isic_id_and_an_absent_lesion_is_named(tmp_path):
    lesions = drawn(n=4)[["isic_id"]]
    marks = lesions.assign(image_distance=1.0, shift=[None, "sex 'x', y; the tile", None, "age"])
    marks[::-1].to_csv(tmp_path / "oof.csv", index=False)
    found = score_tables.marked(lesions, tmp_path / "oof.csv")
    assert found["shift"].tolist() == ["", "sex 'x', y; the tile", "", "age"]
    marks[1:].to_csv(tmp_path / "oof.csv", index=False)
    with pytest.raises(InputError, match=r"oof.csv must hold every lesion. ISIC_0000000 is absent"):
        score_tables.marked(lesions, tmp_path / "oof.csv")


def test_what_is_written_holds_each_score(tmp_path):
    lesions = spread(drawn(n=500))
    found = score_tables.apply(lesions, stacking.fit(lesions, BOTH, params()))
    nested = score_tables.apply_nested(lesions, BOTH, params())
    assert list(found) == [
        *("isic_id", "patient_id", "target", "fold", "score"),
        *("member_network", "member_table", "member_table_alone", "score_alone"),
        *("network_sd_folds", "network_sd_seeds", "network_sd_views"),
        *("table_sd_folds", "table_sd_seeds"),
        "uncertainty",
    ]
    assert list(nested) == [*found, "probability"]
    assert nested["probability"].between(0, 1).all()
    np.testing.assert_array_equal(found["member_table"], lesions["table"])


def test_without_a_table_expert_no_lesion_has_a_score_alone():
    lesions = drawn(n=200).drop(columns=["table", "table_alone"])
    found = score_tables.apply_nested(lesions, ["network"], params(members=["network"]))
    assert "score_alone" not in found
