"""scoring.passes: what each model gives of each view of a tile."""

import numpy as np
import pandas as pd
import pytest
from tests import scorings

from skinlesion.dataset import metadata
from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.scoring import engine, ensemble, passes
from skinlesion.shift import sketch

ONE, TWO = FoldSeed(0), FoldSeed(1)
pytestmark = pytest.mark.usefixtures("keras_started")


@pytest.fixture
def lesions(test_csv):
    return metadata.read(test_csv)[:11]


def scored(models, store, lesions, **how) -> pd.DataFrame:
    piece = passes.Piece(lesions, tuple(models), 4, strict=False, **how)
    networks = engine.prepared(models, "keras", features_of=how.get("features_of"))
    return ensemble.score(networks, store, piece)


def test_the_spread_is_the_standard_deviation_over_models_and_over_views(make, store, lesions):
    models = {ONE: make(), TWO: make(prior_shift=1.0), FoldSeed(2): make(backbone="none")}
    alone = [scored({k: m}, store, lesions)["logit"] for k, m in models.items()]
    found = scored(models, store, lesions)

    np.testing.assert_allclose(found["logit"], np.mean(alone, axis=0), atol=1e-6)
    np.testing.assert_allclose(found["sd_folds"], np.std(alone, axis=0, ddof=1), rtol=1e-5)
    assert found["sd_views"].isna().all()


def test_the_seeds_of_a_fold_are_averaged_before_the_folds(make, store, lesions):
    models = {ONE: make(), FoldSeed(0, 1): make(), TWO: make(), FoldSeed(1, 1): make()}
    found = scored(models, store, lesions)
    alone = np.stack([scored({one: m}, store, lesions)["logit"] for one, m in models.items()])
    of_folds = alone.reshape(2, 2, -1)

    np.testing.assert_allclose(found["logit"], alone.mean(0), atol=1e-6)
    np.testing.assert_allclose(found["sd_folds"], of_folds.mean(1).std(0, ddof=1), rtol=1e-4)
    over_seeds = np.sqrt((of_folds.std(1, ddof=1) ** 2).mean(0))
    np.testing.assert_allclose(found["sd_seeds"], over_seeds, rtol=1e-4)


def test_over_views_each_counts_as_a_tile_of_its_own(make, store, lesions):
    models = {ONE: make()}
    piece = passes.Piece(lesions, (ONE,), 4, strict=False, n_views=4)
    outputs = passes.run(engine.prepared(models, "keras"), store, piece, lambda n: None)
    found = scored(models, store, lesions, n_views=4)

    assert outputs.logits[ONE].shape == (4, 11)
    np.testing.assert_allclose(found["sd_views"], outputs.logits[ONE].std(0, ddof=1))
    np.testing.assert_allclose(found["logit"], outputs.logits[ONE].mean(0))
    assert found["sd_views"].min() > 0
    assert found["sd_folds"].isna().all()


def test_image_features_are_those_of_the_model_asked_for_and_none_of_an_unread_tile(
    make, store, lesions
):
    models = {ONE: make(), TWO: make()}
    broken = scorings.Broken(store, [lesions["isic_id"][4]])
    found = scored(models, broken, lesions, features_of=TWO)
    names = [c for c in found if c.startswith("image_")]
    own = scored({TWO: models[TWO]}, store, lesions, features_of=TWO)

    assert len(names) == min(
        sketch.WIDTH, models[TWO].logits.get_layer("image_pool").output.shape[1]
    )
    rest = found.index != 4
    np.testing.assert_array_equal(found.loc[rest, names], own.loc[rest, names])
    assert found.loc[4, names].isna().all()
    assert np.isnan(found.loc[4, "logit"])
    np.testing.assert_allclose((own[names] ** 2).sum(axis=1), 1, rtol=1e-5)


def test_without_lesions_there_is_an_empty_table(make, store, lesions):
    assert len(scored({ONE: make()}, store, lesions[:0])) == 0
