"""network.model: the branches, and what goes into and comes out of them."""

import keras
import numpy as np
import pytest
from pydantic import ValidationError

from skinlesion.dataset import batches, images
from skinlesion.network import model

pytestmark = pytest.mark.usefixtures("keras_started")


@pytest.fixture
def inputs():
    rng = np.random.default_rng(0)
    return {
        "image": rng.integers(0, 256, (5, 32, 32, 3), dtype=np.uint8),
        "tabular": rng.normal(size=(5, 2)).astype(np.float32),
    }


def called(network, inputs) -> np.ndarray:
    return np.asarray(network({name: inputs[name] for name in network.input}, training=False))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"image", "tabular"}),
        ({"n_features": 0}, {"image"}),
        ({"backbone": "none"}, {"tabular"}),
        ({"head_units": [4, 3]}, {"image", "tabular"}),
        ({"tabular_units": []}, {"image", "tabular"}),
    ],
)
def test_a_network_has_the_branches_that_it_is_given(architecture, inputs, changes, expected):
    network = model.build(architecture(**changes))
    score = called(network, inputs)

    assert network.input.keys() == expected
    assert score.shape == (5, 1)
    assert ((score > 0) & (score < 1)).all()


def test_each_input_matters(architecture, inputs):
    network = model.build(architecture())
    score = called(network, inputs)
    for name in inputs:
        other = inputs | {name: inputs[name][::-1]}

        assert not np.allclose(called(network, other), score, rtol=1e-6)


def test_a_network_without_any_input_is_an_error(architecture):
    with pytest.raises(ValueError, match=r"a backbone or a tabular feature\. Got neither"):
        model.build(architecture(backbone="none", n_features=0))


@pytest.mark.parametrize("backbone", ["none", "tiny"])
def test_weights_for_a_backbone_that_has_none_are_refused(architecture, backbone):
    with pytest.raises(ValidationError, match="weights: none where the backbone is none or tiny"):
        architecture(backbone=backbone, weights="imagenet")


def test_a_network_sees_the_tiles_as_its_backbone_scales_them(architecture, inputs):
    network = model.build(architecture())
    seen = keras.Model(network.input, network.get_layer("image_pool").input)
    expected = network.get_layer("backbone")(inputs["image"].astype(np.float32))

    np.testing.assert_allclose(seen(inputs), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("stages", [[1], [2, 3], [1, 2, 3]])
def test_stages_are_pooled_side_by_side_and_the_layers_behind_are_left_out(
    architecture, inputs, stages
):
    plan, whole = architecture(pooled_stages=stages), model.build(architecture())
    network = model.build(plan)
    backbone, every = network.get_layer("backbone"), whole.get_layer("backbone")
    for layer in backbone.layers:
        if layer.weights:
            layer.set_weights(every.get_layer(layer.name).get_weights())
    found = keras.Model(network.input, network.get_layer("image_pool").output)(inputs)
    ends = [every.get_layer(f"block{stage}a_").output for stage in stages]
    expected = keras.Model(every.input, ends)(inputs["image"].astype(np.float32))
    expected = [np.asarray(of).mean((1, 2)) for of in keras.tree.flatten(expected)]

    np.testing.assert_allclose(found, np.hstack(expected), rtol=1e-4, atol=1e-5)
    assert len(backbone.layers) < len(every.layers)
    assert called(network, inputs).shape == (5, 1)


@pytest.mark.parametrize(
    ("backbone", "stages"), [("tiny", [4]), ("tiny", [2, 1]), ("tiny", [1, 1]), ("none", [1])]
)
def test_stages_that_the_backbone_has_not_are_refused(architecture, backbone, stages):
    with pytest.raises(ValidationError, match="pooled_stages rise, and whose backbone has"):
        architecture(backbone=backbone, pooled_stages=stages)


def test_logits_and_network_share_weights_and_differ_by_a_sigmoid(architecture, inputs):
    network = model.build(architecture())
    logits = model.logits_of(network)
    for _ in range(2):
        np.testing.assert_allclose(
            1 / (1 + np.exp(-called(logits, inputs))), called(network, inputs), rtol=1e-5
        )
        network.set_weights([w + 0.1 for w in network.get_weights()])


def test_logits_are_not_squashed(architecture, inputs):
    network = model.build(architecture())
    network.get_layer("logit").bias.assign([1000.0])

    assert (called(model.logits_of(network), inputs) > 900).all()


HEADS = [
    {},
    {"tabular_units": []},
    {"tabular_units": [], "head_units": [4]},
    {"tabular_units": [], "backbone": "none"},
]


@pytest.mark.parametrize("changes", HEADS)
def test_only_a_feature_that_never_varied_in_training_is_not_heard(architecture, changes):
    network = model.build(architecture(n_features=4, **changes), constant=(1, 3))
    logits = model.logits_of(network)
    logits.compile(
        keras.optimizers.AdamW(0.01, weight_decay=0.1),
        keras.losses.BinaryCrossentropy(from_logits=True),
        run_eagerly=True,
    )
    rng = np.random.default_rng(0)
    given = {
        "tabular": rng.normal(size=(16, 4)).astype(np.float32) * np.float32([1, 0, 1, 0]),
        "image": rng.integers(0, 256, (16, 32, 32, 3), dtype=np.uint8),
    }
    before = called(logits, given)
    x = {name: given[name] for name in logits.input}
    logits.train_on_batch(x, rng.integers(0, 2, (16, 1)))
    after = called(logits, given)
    unseen, seen = ({"tabular": given["tabular"] + v} for v in ([0, 1, 0, -5], [1, 0, -1, 0]))

    assert not np.allclose(before, after)
    assert np.array_equal(called(logits, given | unseen), after)
    assert not np.allclose(called(logits, given | seen), after)


def lesions_of(solid_tiles, n: int) -> batches.Lesions:
    ids = np.array([f"ISIC_{i}" for i in range(n)])
    tiles = solid_tiles({isic_id: 9 * i for i, isic_id in enumerate(ids)})
    tabular = np.random.default_rng(0).normal(size=(n, 2)).astype(np.float32)
    return batches.Lesions(ids, tabular, tiles, image_px=32)


@pytest.mark.parametrize("batch_size", [4, 11])
def test_scores_do_not_depend_on_the_batch_size(architecture, solid_tiles, batch_size):
    lesions, logits = lesions_of(solid_tiles, 11), model.logits_of(model.build(architecture()))
    tiles = [images.tile(lesions.store.read(i), px=32) for i in lesions.isic_ids]
    expected = called(logits, {"image": np.stack(tiles), "tabular": lesions.tabular})[:, 0]
    found = model.apply(logits.predict_on_batch, lesions, batch_size=batch_size)

    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    assert found.dtype == np.float64


def test_an_unreadable_tile_is_an_error(architecture, solid_tiles):
    lesions, logits = lesions_of(solid_tiles, 5), model.logits_of(model.build(architecture()))
    del lesions.store.brightness["ISIC_2"]
    with pytest.raises(images.ImageError, match="ISIC_2"):
        model.apply(logits.predict_on_batch, lesions, batch_size=4)


def test_no_lesions_have_no_logits(architecture, solid_tiles):
    logits = model.logits_of(model.build(architecture()))
    found = model.apply(logits.predict_on_batch, lesions_of(solid_tiles, 0), batch_size=4)

    assert found.shape == (0,)
