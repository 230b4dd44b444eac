"""Fixtures of several test modules. What loads TensorFlow is made only where it is asked for."""

import os
from pathlib import Path

import pytest

# Before anything imports TensorFlow: no log lines, and no GPU, so that all machines agree.
os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
os.environ["KERAS_BACKEND"] = "tensorflow"

from skinlesion.synthetic import challenge_folder

TESTS = Path(__file__).parent
ALIKE = {"lighting": 0.0, "prevalence": 0.0, "camera": 0.0}  # clinics, for synthesize.clinics
DRAWN = {"n_lesions": 120, "n_patients": 24, "n_malignant": 20, "n_test_lesions": 30, "seed": 7}
DRAWN["clinics"] = ALIKE


# The files that take longest, in this order: half a minute of a processor each, or more.
LONGEST = [
    "training/test_distribution.py",
    "test_stages.py",
    "test_sharing.py",
    "training/test_fitting.py",
    "test_benchmarks.py",
    "scoring/test_cluster.py",
    "test_resume.py",
    "test_workflow_runs.py",
    "network/test_pretrained.py",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no process is left with it when the others end."""
    place = {TESTS / name: k for k, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


@pytest.fixture(scope="session")
def challenge(tmp_path_factory) -> Path:
    """A challenge folder; read it only."""
    folder = tmp_path_factory.mktemp("challenge")
    challenge_folder.draw(folder, challenge_folder.Params(**DRAWN), progress=lambda n: None)
    return folder


@pytest.fixture
def keras_started() -> None:
    """Keras as a stage finds it: TensorFlow, float32, deterministic, freshly seeded."""
    from skinlesion.network import backend

    backend.start(backend.Params(backend="tensorflow", precision="float32", seed=0))


@pytest.fixture
def architecture(keras_started):
    """Make the architecture of a network small enough for a test."""
    from skinlesion.network import model

    def make(*, n_features: int = 2, imagenet_input: bool = False, **changes) -> model.Architecture:
        small = {
            "backbone": "tiny",
            "weights": "none",
            "image_px": 32,
            "image_dropout": 0.0,
            "tabular_units": [8],
            "tabular_dropout": 0.0,
            "head_units": [],
        }
        return model.Architecture(
            model=model.Params(**small | changes),
            n_features=n_features,
            imagenet_input=imagenet_input,
        )

    return make


@pytest.fixture
def solid_tiles():
    """Make a store of tiles that are each of one brightness."""
    import io

    from PIL import Image

    from skinlesion.dataset import images

    class Solid:
        def __init__(self, brightness: dict[str, int]) -> None:
            self.brightness = brightness

        def ids(self) -> list[str]:
            return sorted(self.brightness)

        def read(self, isic_id: str) -> bytes:
            if isic_id not in self.brightness:
                raise images.ImageError("it has no tile in memory.")
            file = io.BytesIO()
            Image.new("L", (40, 40), self.brightness[isic_id]).save(file, "png")
            return file.getvalue()

    return Solid
