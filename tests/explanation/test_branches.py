"""explanation.branches: a cut network is the whole one; permuting inputs permutes data."""

import numpy as np
import pandas as pd
import pytest
from tests import scorings
from tests.scorings import ENCODE

from skinlesion.dataset import images, metadata, stores
from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.errors import InputError
from skinlesion.explanation import branches, cutting
from skinlesion.features import tabular
from skinlesion.network import model, trained
from skinlesion.scoring import executor, predict, scale, training_set
from skinlesion.scoring.lesions import Selection

pytestmark = pytest.mark.usefixtures("keras_started")

NO_FEATURES = ENCODE.model_copy(update={"numeric": [], "categorical": []})
NETWORKS = {
    "both branches": {},
    "layers in the head": {"head_units": [6], "tabular_units": [], "image_dropout": 0.5},
    "table alone": {"backbone": "none"},
    "tile alone": {"encode": NO_FEATURES},
}
BATCH = 8


class Exchanged:
    """Tiles of which each lesion has another's."""

    def __init__(self, store: stores.Store, whose: dict[str, str]) -> None:
        self.store, self.whose = store, whose

    def read(self, isic_id: str) -> bytes:
        return self.store.read(self.whose[isic_id])


@pytest.fixture
def table(challenge):
    """The metadata, some of it missing."""
    table = metadata.read(challenge / "train-metadata.csv")
    table.loc[::7, "age_approx"] = np.nan
    table.loc[::5, "sex"] = np.nan
    return table


@pytest.fixture
def lesions(table):
    """40 of the lesions, in the order of isic_id, a third of them in each of three folds."""
    some = table.sort_values("isic_id", ignore_index=True).iloc[:40][list(metadata.REQUIRED)]
    return some.assign(fold=np.arange(40) % 3)


@pytest.fixture
def store(challenge):
    return stores.open_store(challenge / "train-image.hdf5")


@pytest.fixture
def make(table, architecture):
    """Make a model with random weights, other ones each time."""

    def make(
        *, prior_shift: float = 0.5, encode: tabular.Params = ENCODE, **changes
    ) -> trained.Trained:
        encoder = tabular.fit(table, encode)
        plan = architecture(n_features=len(encoder.names), **changes)
        facts = scorings.FACTS.model_copy(update={"prior_shift": prior_shift})
        return trained.Trained(model.logits_of(model.build(plan)), encoder, plan, facts)

    return make


def read(models, lesions, table, store) -> list[branches.Member]:
    """By these models, of the folds 0, 1 and so on where they are not named."""
    named = models if isinstance(models, dict) else scorings.by_number(models)
    cut = cutting.every(named)
    run = executor.Here(cut, store)
    return branches.read(cut, lesions, table, run, batch_size=BATCH)


def unpermuted(members: list[branches.Member], n_lesions: int = 40) -> np.ndarray:
    return branches.logits(members, branches.TILE, np.arange(n_lesions))


def order_within(folds: pd.Series) -> np.ndarray:
    """A permutation that leaves no lesion's fold."""
    order, rng = np.empty(len(folds), int), np.random.default_rng(1)
    for rows in folds.groupby(folds).indices.values():
        order[rows] = rng.permutation(rows)
    return order


# === Scores ===


@pytest.mark.parametrize("network", NETWORKS)
def test_the_holdouts_logits_are_those_of_the_predictions(
    make, lesions, table, store, challenge, tmp_path, network
):
    models, lesions = [make(**NETWORKS[network]) for _ in range(2)], lesions.assign(fold=-1)
    table.to_csv(tmp_path / "table.csv", index=False)
    p = predict.Params(batch_size=BATCH, engine="keras", strict=True)
    source = scorings.source(models, tmp_path / "table.csv", store)
    by_fold = scorings.by_number(models)
    scored = training_set.score_fold(by_fold, lesions, source, p, Selection("holdout"))
    expected = scored.set_index("isic_id")["score"]
    found = scale.probability(unpermuted(read(models, lesions, table, store)))

    assert np.ptp(found) > 1e-4  # far above the tolerance, whatever the random weights
    np.testing.assert_allclose(found, expected[lesions["isic_id"]], rtol=1e-5)


def test_the_lesions_of_a_fold_are_scored_by_its_model_alone(make, lesions, table, store):
    models = [make(), make(backbone="none"), make(backbone="none")]
    found = unpermuted(read(models, lesions, table, store))
    for fold, m in enumerate(models):
        alone = unpermuted(read([m], lesions.assign(fold=0), table, store))
        here = lesions["fold"] == fold
        np.testing.assert_allclose(found[here], alone[here], atol=1e-5)


def test_the_seeds_of_a_fold_count_alike(make, lesions, table, store):
    models = {FoldSeed(*k): make(backbone="none") for k in [(0, 0), (0, 1), (1, 0), (1, 1)]}
    folds = lesions.assign(fold=np.arange(40) % 3 - 1)
    found = unpermuted(read(models, folds, table, store))
    alone = [unpermuted(read([m], folds.assign(fold=0), table, store)) for m in models.values()]

    for fold, scorers in ((-1, alone), (0, alone[:2]), (1, alone[2:])):
        here = folds["fold"] == fold
        np.testing.assert_allclose(found[here], np.mean(scorers, axis=0)[here], atol=1e-5)


def test_the_order_of_the_metadata_is_irrelevant_to_the_bit(make, lesions, table, store):
    m = make()
    found = unpermuted(read([m], lesions.assign(fold=-1), table[::-1], store))

    np.testing.assert_array_equal(
        found, unpermuted(read([m], lesions.assign(fold=-1), table, store))
    )


def test_without_an_image_branch_no_tile_is_read(make, lesions, table):
    members = read([make(backbone="none")], lesions.assign(fold=-1), table, None)

    assert members[0].pooled.shape == (40, 0)


# === Permutations ===


@pytest.mark.parametrize("feature", [*ENCODE.numeric, *ENCODE.categorical])
def test_to_permute_a_feature_is_to_permute_its_column_of_the_metadata(
    make, lesions, table, feature
):
    models, order = [make(backbone="none") for _ in range(3)], order_within(lesions["fold"])
    members = read(models, lesions, table, None)
    exchanged = table.set_index("isic_id").loc[lesions["isic_id"]].reset_index()
    exchanged[feature] = exchanged[feature].to_numpy()[order]
    expected = unpermuted(read(models, lesions, exchanged, None))

    assert not np.allclose(expected, unpermuted(members), atol=1e-3)
    np.testing.assert_array_equal(branches.logits(members, feature, order), expected)


def test_to_permute_the_tile_is_to_exchange_the_tiles(make, lesions, table, store):
    lesions = lesions.assign(fold=np.arange(40) % 2)
    models, order = [make() for _ in range(2)], order_within(lesions["fold"])
    isic_ids = lesions["isic_id"].to_numpy()
    whose = Exchanged(store, dict(zip(isic_ids, isic_ids[order], strict=True)))
    members = read(models, lesions, table, store)
    expected = unpermuted(read(models, lesions, table, whose))

    assert not np.allclose(expected, unpermuted(members), atol=1e-4)
    np.testing.assert_allclose(
        branches.logits(members, branches.TILE, order), expected, rtol=0, atol=1e-5
    )


@pytest.mark.parametrize("feature", [branches.TILE, "age_approx", "sex"])
def test_permuting_leaves_what_was_read_as_it_is(make, lesions, table, store, feature):
    members = read([make()], lesions.assign(fold=-1), table, store)
    before = unpermuted(members)
    branches.logits(members, feature, np.arange(40)[::-1])

    np.testing.assert_array_equal(unpermuted(members), before)


@pytest.mark.parametrize(
    ("network", "feature"),
    [("table alone", "tile"), ("tile alone", "sex"), ("both branches", "tbp_lv_x")],
)
def test_what_a_network_does_not_read_has_no_effect(make, lesions, table, store, network, feature):
    members = read([make(**NETWORKS[network])], lesions.assign(fold=-1), table, store)
    order = np.arange(40)[::-1]

    np.testing.assert_array_equal(branches.logits(members, feature, order), unpermuted(members))


# === Refusals ===


def test_a_fold_without_a_model_is_an_error(make, lesions, table, store):
    with pytest.raises(InputError, match=r"folds with a model\. Got fold 2"):
        read([make(backbone="none")] * 2, lesions, table, store)


@pytest.mark.parametrize("times", [0, 2])
def test_a_lesion_that_the_metadata_lacks_or_holds_twice_is_an_error(
    make, lesions, table, store, times
):
    isic_id = lesions["isic_id"][3]
    here = table["isic_id"] == isic_id
    spoilt = pd.concat([table[~here], *[table[here]] * times])
    with pytest.raises(InputError, match=rf"once\. Got {isic_id} {times} times \(1 such"):
        read([make(backbone="none")], lesions.assign(fold=-1), spoilt, store)


def test_a_tile_that_cannot_be_read_is_an_error_that_names_the_lesion(
    make, lesions, table, solid_tiles
):
    with pytest.raises(images.ImageError, match=lesions["isic_id"][0]):
        read([make()], lesions.assign(fold=-1), table, solid_tiles({}))
