"""Fixtures of the tests of bundles: small ones, of random networks and quickly fitted experts."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from tests import once

# Made apart: a session whose other tests load no TensorFlow stays light.
MAKE = "import sys; from tests import bundles; bundles.make(*sys.argv[1:])"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def made(challenge, tmp_path_factory) -> Path:
    """Bundles by kind (both, image, table), and beside each what the pipeline's code scores."""
    return once.made(tmp_path_factory, "bundles", partial(make, challenge))


def make(challenge: Path, folder: Path) -> None:
    paths = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    line = [sys.executable, "-c", MAKE, challenge, folder]
    ran = subprocess.run(line, env=os.environ | {"PYTHONPATH": paths}, capture_output=True)
    assert ran.returncode == 0, ran.stderr.decode()


@pytest.fixture(scope="session")
def table(challenge):
    """The test lesions."""
    from skinlesion.dataset import metadata

    return metadata.read(challenge / "test-metadata.csv")


@pytest.fixture(scope="session")
def tiles(challenge):
    """Their tiles, encoded, by isic_id."""
    from skinlesion.dataset import stores

    store = stores.open_store(challenge / "test-image.hdf5")
    return {isic_id: store.read(isic_id) for isic_id in store.ids()}
