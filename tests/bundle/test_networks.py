"""bundle.networks: a lesion's logit is its own, and files that are no network are refused."""

import shutil

import numpy as np
import pytest

from skinlesion.bundle import networks, runtime
from skinlesion.errors import InputError


@pytest.fixture
def members(made):
    return networks.load(made / "both" / "network")


def test_the_networks_come_in_the_order_of_their_folds(members):
    assert [m.facts.fold for m in members] == [0, 1]
    assert [m.facts.image_px for m in members] == [32, 48]


def test_the_logit_of_a_lesion_does_not_depend_on_what_stands_beside_it(members, table, tiles):
    store = runtime.Memory(tiles)
    whole = networks.score(members, table, store, n_views=1).logits
    for i in (0, 7, len(table) - 1):
        one = networks.score(members, table[i : i + 1], store, n_views=1).logits
        np.testing.assert_array_equal(one[:, 0], whole[:, i])


def test_batches_cover_every_lesion_once(members, table, tiles, monkeypatch):
    store = runtime.Memory(tiles)
    whole = networks.score(members, table, store, n_views=1)
    monkeypatch.setattr(networks, "BATCH_SIZE", 7)

    np.testing.assert_array_equal(
        networks.score(members, table, store, n_views=1).logits, whole.logits
    )


def test_pooled_features_are_given_with_their_rows(members, table, tiles):
    seen: dict[int, list] = {0: [], 1: []}
    networks.score(
        members,
        table,
        runtime.Memory(tiles),
        n_views=1,
        on_pooled=lambda i, rows, features: seen[i].append((rows, features)),
    )
    for i in seen:
        assert sum(len(features) for _, features in seen[i]) == len(table)
        assert all(features.shape[1] > 8 for _, features in seen[i])
        assert np.ptp(np.concatenate([f for _, f in seen[i]]), axis=0).max() > 0


def test_an_unreadable_tile_has_no_logit_in_any_fold(members, table, tiles):
    spoilt = tiles | {table["isic_id"][2]: b""}
    found = networks.score(members, table, runtime.Memory(spoilt), n_views=1)

    assert np.isnan(found.logits[:, 2]).all()
    assert np.isfinite(np.delete(found.logits, 2, axis=1)).all()
    assert table["isic_id"][2] in found.reasons[2]


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
