"""scoring.image_features: a network gives its pooled features beside its logit."""

import keras
import numpy as np
import pandas as pd
import pytest

from skinlesion.network import model, trained
from skinlesion.scoring import engine, image_features

pytestmark = pytest.mark.usefixtures("keras_started")


def inputs(n: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (n, 32, 32, 3), np.uint8)
    return {"image": image, "tabular": rng.normal(size=(n, 2)).astype(np.float32)}


@pytest.mark.parametrize("name", ["keras", "litert"])
def test_the_logit_comes_first_to_the_same_bits_and_then_what_the_pool_gives(architecture, name):
    logits = model.logits_of(model.build(architecture()))
    m = trained.Trained(logits, encoder=None, architecture=None, facts=None)
    alone, both = (engine.prepared({3: m}, name, features_of=of)[3].logits for of in (None, 3))
    given = inputs(5)
    found = np.asarray(both.predict_on_batch(given))
    pool = keras.Model(logits.input, logits.get_layer("image_pool").output)

    np.testing.assert_array_equal(found[:, :1], np.asarray(alone.predict_on_batch(given)))
    np.testing.assert_allclose(found[:, 1:], pool.predict_on_batch(given), rtol=1e-4, atol=1e-5)


def test_a_network_without_image_branch_stays_as_it_is(architecture):
    logits = model.logits_of(model.build(architecture(backbone="none")))

    assert image_features.joined(logits) is logits


@pytest.mark.parametrize("width", [0, 3])
def test_features_are_taken_out_of_the_pieces_in_their_order(width):
    x = np.arange(10 * width, dtype=np.float32).reshape(10, width)
    kept = image_features.Kept(10)
    pieces = [
        pd.DataFrame({"logit": 1.0, **image_features.named(x[rows])}, index=range(len(x[rows])))
        for rows in (slice(0, 4), slice(4, 4), slice(4, 10))
    ]
    left = list(kept.taken(pieces))

    np.testing.assert_array_equal(kept.features, x)
    assert all(list(piece) == ["logit"] for piece in left)
    assert [len(piece) for piece in left] == [4, 0, 6]
