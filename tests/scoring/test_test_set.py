"""scoring.test_set: a submission that names every lesion once, and what could not be read."""

import numpy as np
import pandas as pd
import pytest
from tests import scorings
from tests.scorings import PARAMS, scored

from skinlesion.dataset import images, metadata
from skinlesion.errors import InputError
from skinlesion.scoring import executor, test_set

pytestmark = pytest.mark.usefixtures("keras_started")

N_TEST = 30


def written(models, metadata_csv, store, out, p=PARAMS):
    isic_ids = test_set.isic_ids(metadata_csv)
    found = test_set.joined(scorings.pieces(models, metadata_csv, store, p), isic_ids)
    test_set.write(found, out)
    counts = {"n_lesions": len(found.scores), "n_unreadable": len(found.unreadable)}
    return counts, pd.read_csv(out / "submission.csv"), pd.read_csv(out / "unreadable.csv")


def test_the_submission_is_isic_id_and_target_in_the_order_of_the_table(
    make, test_csv, store, tmp_path
):
    m = make(prior_shift=3.0)
    counts, submission, unreadable = written([m], test_csv, store, tmp_path)
    logits = scored([m], test_csv, store)["logit"]

    assert submission.columns.tolist() == ["isic_id", "target"]
    assert submission["isic_id"].tolist() == metadata.read(test_csv)["isic_id"].tolist()
    np.testing.assert_allclose(submission["target"], 1 / (1 + np.exp(-logits)))
    assert (counts, len(unreadable)) == ({"n_lesions": N_TEST, "n_unreadable": 0}, 0)


def test_unreadable_tiles_are_scored_listed_and_counted(
    make, test_csv, store, tmp_path, monkeypatch
):
    monkeypatch.setattr(executor, "MAX_PIECE", 8)
    models, ids = [make(), make()], metadata.read(test_csv)["isic_id"]
    _, whole, _ = written(models, test_csv, store, tmp_path)
    broken = ids.iloc[[3, 4, 20]].tolist()
    spoilt = scorings.Broken(store, broken)
    counts, submission, unreadable = written(models, test_csv, spoilt, tmp_path)
    rest = ~ids.isin(broken)

    assert counts == {"n_lesions": N_TEST, "n_unreadable": 3}
    assert unreadable["isic_id"].tolist() == broken
    assert unreadable["reason"].str.contains("It is empty").all()
    np.testing.assert_allclose(submission["target"][rest], whole["target"][rest])
    logits = np.log(submission["target"] / (1 - submission["target"]))
    np.testing.assert_allclose(logits[~rest], np.median(logits[rest]))


def test_an_unreadable_tile_is_an_error_where_scoring_is_strict(make, test_csv, store, tmp_path):
    isic_id = metadata.read(test_csv)["isic_id"].iloc[9]
    p = PARAMS.model_copy(update={"strict": True})
    with pytest.raises(images.ImageError, match=f"{isic_id}: .* It is empty"):
        written([make()], test_csv, scorings.Broken(store, [isic_id]), tmp_path, p)


def test_a_test_set_without_a_readable_tile_is_an_error(make, test_csv, store, tmp_path):
    ids = metadata.read(test_csv)["isic_id"]
    with pytest.raises(InputError, match="at least one tile must be readable"):
        written([make()], test_csv, scorings.Broken(store, ids), tmp_path)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda t: pd.concat([t, t.iloc[[2]]]),
            r"must name each isic_id once\. Got ISIC_\d+ again",
        ),
        (lambda t: t.iloc[:0], r"must hold lesions\. It holds none"),
        (
            lambda t: t.assign(isic_id=[None, *t["isic_id"][1:]]),
            r"must name every lesion\. Row 2 has no",
        ),
    ],
)
def test_a_test_table_that_names_no_set_of_lesions_is_an_error(
    make, test_csv, store, tmp_path, change, expected
):
    change(pd.read_csv(test_csv)).to_csv(tmp_path / "test.csv", index=False)
    with pytest.raises(InputError, match=expected):
        written([make()], tmp_path / "test.csv", store, tmp_path)


def test_an_unreadable_lesion_gets_the_median_of_the_others():
    found = test_set.median_for_unreadable(np.array([1.0, np.nan, 5.0, 2.0, np.nan]))

    assert found.tolist() == [1, 2, 5, 2, 2]


def test_without_a_readable_tile_there_is_no_score():
    with pytest.raises(InputError, match="at least one tile must be readable"):
        test_set.median_for_unreadable(np.full(3, np.nan))
