"""bundle.agreement: the largest difference of log odds is found, and a changed order told."""

import pandas as pd
import pytest
from scipy.special import expit
from tests import bundles

from skinlesion.bundle import agreement, runtime


def scores(*logits: float, **others: list) -> pd.DataFrame:
    table = pd.DataFrame({"probability": expit(list(logits))}, index=list("ABC"))
    return table.assign(**others)


def test_the_largest_difference_is_that_of_the_log_odds():
    found = agreement.compared(scores(-3.0, 0.0, 2.0), scores(-3.0, 0.02, 2.001))

    assert found["largest_difference"] == {"probability": 0.02}
    assert found["same_ranking"]
    assert found["n_lesions"] == 3


def test_another_order_is_told_however_small_the_difference():
    found = agreement.compared(scores(0.0, 1e-7, 2.0), scores(1e-7, 0.0, 2.0))

    assert not found["same_ranking"]
    assert "another ranking" in agreement.said(found)


def test_members_are_compared_where_both_sides_have_them():
    one = scores(0.0, 1.0, 2.0, network=[0.5] * 3, table=[float("nan")] * 3)
    other = scores(0.0, 1.0, 2.0, network=expit([0.0, 0.5, 0.0]), table=[0.5] * 3)

    assert agreement.compared(one, other)["largest_difference"] == {
        "network": 0.5,
        "probability": 0.0,
    }


@pytest.mark.parametrize("kind", bundles.KINDS)
def test_a_bundle_agrees_with_the_pipeline(made, challenge, tmp_path, kind):
    given = pd.read_csv(made / f"{kind}.csv")
    submission = given[["isic_id"]].assign(target=given["network"])
    for folder, target in (
        ("predictions", submission["target"]),
        ("calibrated", given["probability"]),
    ):
        (tmp_path / folder).mkdir()
        submission.assign(target=target).to_csv(tmp_path / folder / "submission.csv", index=False)
    predictions = tmp_path / "predictions"
    empty = pd.DataFrame(columns=["isic_id", "patient_id", "target", "fold", "score"])
    for name in ("holdout", "oof"):
        empty.to_csv(predictions / f"{name}.csv", index=False)
        for member in ("table", "network"):
            empty[["isic_id"]].to_csv(predictions / f"{member}-{name}.csv", index=False)
    kept = [c for c in ("isic_id", "table") if c in given]
    given[kept].to_csv(predictions / "table-test.csv", index=False)
    given[["isic_id"]].to_csv(predictions / "network-test.csv", index=False)
    files = agreement.Files(
        challenge / "test-metadata.csv", challenge / "test-image.hdf5", predictions
    )
    found = agreement.measured(runtime.open(made / kind), files, tmp_path / "calibrated")

    assert found["same_ranking"]
    assert found["n_lesions"] == len(given)
    assert max(found["largest_difference"].values()) < 1e-5
    assert ("table" in found["largest_difference"]) == ("table" in given)
