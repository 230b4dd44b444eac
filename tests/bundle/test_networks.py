"""bundle.networks: a lesion's logit is its own, and files that are no network are refused."""

import shutil

import numpy as np
import pandas as pd
import pytest

from skinlesion.bundle import networks, runtime
from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.errors import InputError
from skinlesion.scoring import image_features


@pytest.fixture
def members(made):
    return networks.load(made / "both" / "network")


def test_the_networks_come_in_the_order_of_their_folds_and_seeds(members, made):
    assert list(members) == [(0, 0), (1, 0)]
    assert [m.image_px for m in members.values()] == [32, 48]
    seeds = networks.load(made / "seeds" / "network")
    assert list(seeds) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert [m.prior_shift for m in seeds.values()] == [0.5, 0.75, 1.5, 1.75]


def test_the_logit_of_a_lesion_does_not_depend_on_what_stands_beside_it(members, table, tiles):
    store = runtime.Memory(tiles)
    whole = networks.score(members, table, store, n_views=1)["logit"]
    for i in (0, 7, len(table) - 1):
        one = networks.score(members, table[i : i + 1], store, n_views=1)["logit"]
        assert one.tolist() == [whole[i]]


def test_batches_cover_every_lesion_once(members, table, tiles, monkeypatch):
    store = runtime.Memory(tiles)
    whole = networks.score(members, table, store, n_views=1)
    monkeypatch.setattr(networks, "BATCH_SIZE", 7)

    pd.testing.assert_frame_equal(networks.score(members, table, store, n_views=1), whole)


def test_image_features_are_those_of_the_network_that_is_asked_for(members, table, tiles):
    store, one = runtime.Memory(tiles), FoldSeed(1)
    names = [
        image_features.columns(networks.score(members, table, store, n_views=1, features_of=of))
        for of in (None, one)
    ]
    found = networks.score(members, table, store, n_views=1, features_of=one)[names[1]]
    alone = networks.score({one: members[one]}, table, store, n_views=1, features_of=one)

    assert not names[0]
    pd.testing.assert_frame_equal(found, alone[names[1]])
    assert np.ptp(found.to_numpy(), axis=0).max() > 0


def test_an_unreadable_tile_has_no_logit_in_any_fold(members, table, tiles):
    spoilt = tiles | {table["isic_id"][2]: b""}
    found = networks.score(members, table, runtime.Memory(spoilt), n_views=1)

    assert np.flatnonzero(found["logit"].isna()).tolist() == [2]
    assert table["isic_id"][2] in found["reason"][2]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("network.tflite", "must be a network in the format of LiteRT"),
        ("facts.json", "must be the facts of a network"),
        ("encoder.json", "must be an encoder"),
    ],
)
@pytest.mark.parametrize("content", [b"", b"{}", b"TFL3 and what is no flatbuffer"])
def test_a_file_that_is_something_else_is_named(made, tmp_path, name, said, content):
    """Such as one of a manifest that was made to agree with it."""
    folder = shutil.copytree(made / "both" / "network", tmp_path / "network")
    (folder / "fold-1" / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"fold-1/{name} {said}"):
        networks.load(folder)
