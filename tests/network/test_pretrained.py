"""network.pretrained: a network computes what its twin in keras.applications computes."""

import hashlib

import h5py
import keras
import numpy as np
import pytest
from keras.src.applications import efficientnet_v2
from tests.networks import backbone_of

from skinlesion.errors import InputError
from skinlesion.network import backbones, lite, model, pretrained

pytestmark = pytest.mark.usefixtures("keras_started")

B0, S = "efficientnetv2_b0", "efficientnetv2_s"


def distributed(name: str) -> keras.Model:
    """The network as keras.applications makes it for everyone, with its own preprocessing.

    Its batch normalisation is not the identity, so that a statistic out of place shows.
    """
    make = getattr(keras.applications, pretrained.PUBLISHED[name][0])
    network = make(weights=None, include_top=False, input_shape=(32, 32, 3))
    rng = np.random.default_rng(0)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, variance = rng.uniform(0.8, 1.2, (2, layer.gamma.shape[0]))
            beta, mean = rng.normal(0, 0.1, (2, layer.gamma.shape[0]))
            layer.set_weights([gamma, beta, mean, variance])
    return network


@pytest.fixture(scope="module")
def published_b0():
    return distributed(B0)


def image_branch(architecture, name: str, weights: str = "none") -> keras.Model:
    """From tiles to features, as in the network that `model.build` makes."""
    plan = architecture(backbone=name, weights=weights, n_features=0, imagenet_input=True)
    network = model.build(plan)
    pretrained.initialise(network, plan.model)
    return keras.Model(network.input, network.get_layer("image_pool").input)


def apart(one: keras.Model, other: keras.Model) -> float:
    """Largest difference of the features of random tiles, relative to their magnitude."""
    tiles = np.random.default_rng(1).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    ours, theirs = np.asarray(one({"image": tiles})), np.asarray(other(tiles))
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def save_as_published(network: keras.Model, path) -> None:
    """Write weights as TensorFlow's Keras 2 did, which made the published files."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in network.layers]
        for layer in network.layers:
            names = [f"{layer.name}/{w.name}:0" for w in layer.weights]
            file.create_group(layer.name).attrs["weight_names"] = [n.encode() for n in names]
            for name, value in zip(names, layer.get_weights(), strict=True):
                file[layer.name][name] = value


def test_carried_over_weights_give_the_features_of_keras_applications(architecture):
    twin, branch = distributed(S), image_branch(architecture, S)
    pretrained.carry_over(twin, branch.get_layer("backbone"))

    assert apart(branch, twin) <= 1e-5


@pytest.mark.parametrize("suffix", [".weights.h5", "_notop.h5"])
def test_a_file_of_weights_gives_the_features_of_keras_applications(
    architecture, published_b0, tmp_path, suffix
):
    path = tmp_path / f"b0{suffix}"
    if suffix == ".weights.h5":
        published_b0.save_weights(path)
    else:
        save_as_published(published_b0, path)

    assert apart(image_branch(architecture, B0, weights=str(path)), published_b0) <= 1e-5


def test_weights_of_another_architecture_are_not_carried_over(architecture, published_b0):
    with pytest.raises(ValueError, match=r"No such layer|shape"):
        pretrained.carry_over(published_b0, backbone_of(architecture().model, rescale=False))


def test_a_layer_that_is_left_over_is_an_error(architecture, published_b0):
    more = keras.layers.Conv2D(1, 1, name="more")(published_b0.output)
    backbone = backbone_of(architecture(backbone=B0).model, rescale=False)
    with pytest.raises(ValueError, match=r"Got \['more'\] left"):
        pretrained.carry_over(keras.Model(published_b0.input, more), backbone)


def test_without_weights_the_backbone_stays_as_it_was(architecture):
    plan = architecture()
    network = model.build(plan)
    before = network.get_weights()
    pretrained.initialise(network, plan.model)

    assert all(np.array_equal(a, b) for a, b in zip(before, network.get_weights(), strict=True))


def test_a_missing_file_of_weights_is_an_error():
    expected = r"model\.weights must be none, imagenet or a file\. Got 'weights/b0\.h5'"
    with pytest.raises(InputError, match=expected):
        pretrained.locate("weights/b0.h5", B0)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("b1.weights.h5", "weights of Keras 3"),
        ("b1_notop.h5", "weights as published"),
        ("b1.txt", "weights of Keras 3"),
        ("b0.weights.h5", "text"),
        ("b0_notop.h5", ""),
    ],
)
def test_a_file_without_the_right_weights_is_an_error_that_names_it(tmp_path, name, content):
    path, other = tmp_path / name, keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    if content == "weights of Keras 3":
        other.save_weights(tmp_path / "saved.weights.h5")
        (tmp_path / "saved.weights.h5").rename(path)
    elif content == "weights as published":
        save_as_published(other, path)
    else:
        path.write_text(content)
    with pytest.raises(InputError, match=rf"{name} must hold the weights of {B0}\. .") as caught:
        pretrained.original(B0, 32, path)

    assert "\n" not in str(caught.value)


@pytest.fixture
def keras_home(tmp_path, monkeypatch):
    home = tmp_path / "keras"
    home.mkdir()
    monkeypatch.setenv("KERAS_HOME", str(home))
    return home


def test_without_network_the_error_says_what_to_put_where(keras_home, monkeypatch):
    def offline(name, origin, **_):
        raise OSError(f"URL fetch failure on {origin}")

    monkeypatch.setattr("keras.utils.get_file", offline)
    with pytest.raises(InputError) as caught:
        pretrained.locate("imagenet", B0)

    name = "efficientnetv2-b0_notop.h5"
    for part in (
        f"keras-applications/efficientnet_v2/{name} elsewhere",
        f"put it at {keras_home / 'models' / name}.",
        pretrained.PUBLISHED[B0][2],
        "URL fetch failure",
    ):
        assert part in str(caught.value)


@pytest.fixture
def download(tmp_path, monkeypatch):
    """Stands in for the server: a file that each address leads to."""
    real, file = keras.utils.get_file, tmp_path / "published"
    monkeypatch.setattr("keras.utils.get_file", lambda n, _, **o: real(n, file.as_uri(), **o))
    return file


def test_a_download_with_another_checksum_is_an_error(keras_home, download):
    download.write_bytes(b"forged")
    with pytest.raises(InputError, match=r"imagenet needs .* could not be had: .*hash"):
        pretrained.locate("imagenet", B0)


def test_a_download_with_the_right_checksum_is_kept(keras_home, download, monkeypatch):
    download.write_bytes(b"right")
    md5 = hashlib.md5(b"right", usedforsecurity=False).hexdigest()
    monkeypatch.setitem(pretrained.PUBLISHED, B0, ("EfficientNetV2B0", "b0", md5))
    found = pretrained.locate("imagenet", B0)
    download.unlink()

    assert found == pretrained.locate("imagenet", B0)
    assert found == keras_home / "models" / "efficientnetv2-b0_notop.h5"
    assert found.read_bytes() == b"right"


def test_addresses_and_checksums_are_those_of_keras_applications():
    own = efficientnet_v2.WEIGHTS_HASHES
    hashes = {key.removeprefix("-"): without_top for key, (_, without_top) in own.items()}

    assert pretrained._ADDRESS == efficientnet_v2.BASE_WEIGHTS_PATH
    for _, variant, md5 in pretrained.PUBLISHED.values():
        assert hashes[variant] == md5


def test_every_backbone_that_may_have_weights_has_published_ones():
    published = pretrained.PUBLISHED.keys() | lite.PUBLISHED.keys()

    assert published == backbones.BACKBONES.keys() - {"tiny"}
