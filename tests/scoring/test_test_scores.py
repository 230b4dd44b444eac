"""scoring.test_scores: the test set's scores, with image features beside them."""

import numpy as np
import pandas as pd
import pytest
from tests.scorings import PARAMS, source

from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.scoring import engine, executor, lesions, test_scores

pytestmark = pytest.mark.usefixtures("keras_started")


def test_scores_spreads_and_features_are_of_each_lesion_of_the_table(
    make, test_csv, store, tmp_path
):
    models = {FoldSeed(2): make(), FoldSeed(4): make()}
    networks = engine.prepared(models, "keras", features_of=FoldSeed(2))
    given = lesions.Source(test_csv, executor.Here(networks, store))
    test_scores.write(*test_scores.score(models, given, PARAMS), tmp_path)
    submission, spread = (
        pd.read_csv(tmp_path / f"{n}.csv") for n in ("submission", "network-test")
    )

    assert submission["isic_id"].tolist() == pd.read_csv(test_csv)["isic_id"].tolist()
    assert spread["isic_id"].tolist() == submission["isic_id"].tolist()
    assert list(spread) == ["isic_id", "network_sd_folds"]
    assert len(np.load(tmp_path / "image-test.npy")) == len(submission)


def test_a_network_without_image_branch_has_no_features(make, test_csv, store):
    model = make(backbone="none")
    _, features = test_scores.score({FoldSeed(0): model}, source([model], test_csv, store), PARAMS)

    assert features.shape == (30, 0)
