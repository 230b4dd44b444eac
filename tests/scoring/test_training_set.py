"""scoring.training_set: known lesions keep what is known of them, and get an unseen score."""

import numpy as np
import pandas as pd
import pytest
from tests import scorings
from tests.scorings import PARAMS, by_number, scored, source

from skinlesion.dataset import images, metadata, stores
from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.errors import InputError
from skinlesion.scoring import lesions, training_set

HOLDOUT = lesions.Selection("holdout")
SCORED = ["score", "sd_folds", "sd_seeds", "sd_views"]
pytestmark = pytest.mark.usefixtures("keras_started")


@pytest.fixture
def folds(challenge):
    """Every third lesion of the training table, from last to first."""
    lesions = metadata.read(challenge / "train-metadata.csv", columns=list(metadata.REQUIRED))
    return lesions.iloc[::-3][list(metadata.REQUIRED)].assign(fold=-1)


def fold_scored(models, folds, challenge):
    source = learnt_from(models, challenge)
    return training_set.score_fold(by_number(models), folds, source, PARAMS, HOLDOUT)


def learnt_from(models, challenge, broken=()) -> lesions.Source:
    store = stores.open_store(challenge / "train-image.hdf5")
    return source(models, challenge / "train-metadata.csv", scorings.Broken(store, broken))


def test_a_folds_scores_keep_target_and_patient_of_each_lesion(make, folds, challenge):
    m = make(prior_shift=1.0)
    found = fold_scored([m], folds, challenge)
    columns = ["isic_id", "patient_id", "target", "fold"]

    assert found.columns.tolist() == [*columns, *SCORED]
    pd.testing.assert_frame_equal(
        found[columns].sort_values("isic_id", ignore_index=True),
        folds[columns].sort_values("isic_id", ignore_index=True),
    )
    everyone = scored(
        [m],
        challenge / "train-metadata.csv",
        stores.open_store(challenge / "train-image.hdf5"),
    ).set_index("isic_id")["logit"]
    logits = np.log(found["score"] / (1 - found["score"]))
    np.testing.assert_allclose(logits, everyone[found["isic_id"]], rtol=1e-4, atol=1e-5)


def test_a_fold_without_lesions_is_an_empty_table(make, folds, challenge):
    found = fold_scored([make(backbone="none")], folds.iloc[:0], challenge)

    assert found.columns.tolist() == ["isic_id", "patient_id", "target", "fold", *SCORED]
    assert len(found) == 0


def test_a_lesion_of_the_split_that_the_metadata_lacks_is_an_error(make, folds, challenge):
    other = folds.assign(isic_id=["ISIC_0", *folds["isic_id"][1:]])
    with pytest.raises(InputError, match=r"must hold the 40 lesions of the split\. Got 39"):
        fold_scored([make(backbone="none")], other, challenge)


def test_a_known_lesions_tile_must_be_readable(make, folds, challenge):
    models, isic_id = [make()], folds["isic_id"].iloc[5]
    broken = learnt_from(models, challenge, broken=[isic_id])
    with pytest.raises(images.ImageError, match=isic_id):
        training_set.score_fold(by_number(models), folds, broken, PARAMS, HOLDOUT)


def test_the_holdout_is_scored_by_all_and_a_fold_by_its_own_models(make, folds, challenge):
    folds = folds.assign(fold=np.resize([-1, 0, 3], len(folds)))
    models = {FoldSeed(0): make(), FoldSeed(3): make(), FoldSeed(3, 1): make()}
    store = stores.open_store(challenge / "train-image.hdf5")
    here = lesions.Source(challenge / "train-metadata.csv", scorings.here(models, store))
    holdout, oof = training_set.score(models, folds, here, PARAMS)

    assert set(holdout["isic_id"]) == set(folds.loc[folds["fold"] == -1, "isic_id"])
    assert oof["fold"].tolist() == [0] * sum(folds["fold"] == 0) + [3] * sum(folds["fold"] == 3)
    for members, found in (
        (models, holdout),
        ({k: m for k, m in models.items() if k.fold == 3}, oof[oof["fold"] == 3]),
    ):
        alone = folds[folds["isic_id"].isin(found["isic_id"])]
        expected = training_set.score_fold(members, alone, here, PARAMS, HOLDOUT)["score"]
        np.testing.assert_array_equal(found["score"], expected)
    assert oof["sd_seeds"].notna().tolist() == (oof["fold"] == 3).tolist()
    assert oof["sd_folds"].isna().all()
