"""training.run: a run has the name of all that decides it, and leaves a model that can score."""

from pathlib import Path

import numpy as np
import pytest
from tests.augmentations import augmentation
from tests.recipes import HEAD, params
from tests.training.test_fold import paths  # noqa: F401 (a fixture)

from skinlesion.errors import InputError
from skinlesion.network import backend, trained
from skinlesion.training import checkpoint, distribution, run, settings
from skinlesion.training.fold import Files

KERAS = backend.Params(backend="tensorflow", precision="float32", seed=0)


@pytest.fixture
def start(paths, architecture, monkeypatch, tmp_path):  # noqa: F811
    """Start a run of fold 0 on a table alone, with changes of the block `train`."""
    (tmp_path / "tiles.hdf5").write_bytes(b"is hashed, and not read")
    monkeypatch.chdir(tmp_path)

    def make(seed: int = 0, train_seed: int = 4, **changes) -> list[run.Run]:
        backend.start(KERAS)
        p = settings.Settings(
            keras=KERAS.model_copy(update={"seed": seed}),
            model=architecture(backbone="none").model,
            augment=augmentation(),
            train=params(seed=train_seed, **changes),
        )
        files = Files(*paths, images=tmp_path / "tiles.hdf5")
        return list(run.start(0, files, p, script=Path(__file__)))

    return make


def test_the_same_run_has_the_same_name_and_first_weights_and_another_has_not(start):
    [one], [same], [other] = start(), start(), start(label_smoothing=0.1)

    assert one.kept.key == same.kept.key != other.kept.key
    for a, b in zip(one.network.get_weights(), same.network.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_each_seed_is_the_run_of_that_seed_alone(start):
    several = start(n_seeds=3)
    alone = [start(seed=s, train_seed=4 + s)[0] for s in range(3)]

    assert [of.kept.key for of in several] == [of.kept.key for of in alone]
    assert len({of.kept.key for of in several}) == 3
    for a, b in zip(several, alone, strict=True):
        assert a.settings == b.settings
        for one, other in zip(a.network.get_weights(), b.network.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.fixture
def tiles(paths, architecture, solid_tiles, monkeypatch, tmp_path):  # noqa: F811
    """Start a run of a fold on tiles and table, with changes of the block `train` and its head."""
    store = solid_tiles({f"ISIC_{i}": 40 * i for i in range(6)})
    monkeypatch.setattr("skinlesion.dataset.stores.open_store", lambda path: store)
    monkeypatch.chdir(tmp_path)

    def make(fold: int = 0, content: bytes = b"tiles", head=None, **changes) -> run.Run:
        (tmp_path / "tiles.hdf5").write_bytes(content)
        backend.start(KERAS)
        block = HEAD | {"strengths": [0.1], **(head or {})}
        p = settings.Settings(
            keras=KERAS,
            model=architecture(**{"tabular_units": []} | changes).model,
            augment=augmentation(),
            train=params(fitted="head", head=block),
        )
        files = Files(*paths, images=tmp_path / "tiles.hdf5")
        return next(run.start(fold, files, p, script=Path(__file__)))

    return make


def test_a_head_is_fitted_where_it_is_asked_for_and_its_features_are_shared_by_folds(
    tiles, tmp_path, monkeypatch
):
    logged: list[int] = []
    found = tiles()
    best = found.fit(lambda epoch, values: logged.append(epoch))
    found.save(tmp_path / "model", best)
    monkeypatch.setattr("skinlesion.dataset.batches.scoring", None)  # cannot be called
    again = tiles()
    same = again.fit(lambda epoch, values: None)

    assert logged == [0]
    assert trained.load(tmp_path / "model").facts.validation == best.values == same.values
    assert found.pooled.key == tiles(fold=1).pooled.key == tiles(head={"seed": 5}).pooled.key


def test_features_of_other_tiles_views_or_networks_are_others(tiles):
    runs = [
        tiles(),
        tiles(content=b"other tiles"),
        tiles(head={"n_views": 8}),
        tiles(pooled_stages=[1]),
        tiles(pool_sigma=0.3),
        tiles(image_px=40),
    ]

    assert len({of.pooled.key for of in runs}) == len(runs)


def test_a_head_of_several_layers_is_refused_before_anything_is_read(tiles):
    with pytest.raises(InputError, match=r"where train\.fitted is head"):
        tiles(tabular_units=[8])


def test_what_is_saved_scores_and_says_what_it_was_made_from(start, tmp_path):
    [found] = start()
    best = checkpoint.Best(2, {"validation/pauc": 0.1, "validation/auc": 0.9}, [])
    found.kept.folder.mkdir()
    left = found.kept.folder / f"{found.kept.key}.npz"
    left.touch()
    found.save(tmp_path / "model", best)
    model = trained.load(tmp_path / "model")

    assert model.facts.best_epoch == 2
    assert model.facts.prior_shift == 0.5
    assert str(tmp_path / "tiles.hdf5") in model.facts.inputs_md5
    assert model.encoder == found.data.encoder
    assert left.exists()
    run.finish([found.kept])
    assert not left.exists()


def test_processes_that_differ_are_told_apart_before_anything_is_trained(start, monkeypatch):
    def differ(text: str, must: str) -> None:
        raise InputError(f"all processes must {must}.")

    monkeypatch.setattr(distribution, "require_same", differ)
    with pytest.raises(InputError, match="all processes must agree on code"):
        start()
