"""Fixtures for modules that name this one in pytest_plugins: clones of `two_commits`."""

import shutil
from pathlib import Path

import pytest
from tests import once, two_commits

from skinlesion.experiments import checkout


@pytest.fixture(scope="session")
def origin(tmp_path_factory) -> Path:
    """The repository; clone it only."""
    folder = once.made(tmp_path_factory, "two-commits", two_commits.make)
    return two_commits.place(folder)


@pytest.fixture(scope="session")
def clone(origin, tmp_path_factory) -> Path:
    """A clone of the branch `worse`; read it only."""
    return two_commits.cloned(origin, "worse", tmp_path_factory.mktemp("read") / "clone")


@pytest.fixture(scope="session")
def pair(clone) -> tuple[str, str]:
    """The commit that the branch left main at, and its own."""
    return checkout.commits("origin/main", clone)


@pytest.fixture
def own(clone, tmp_path, monkeypatch) -> Path:
    """A copy of the clone, to be spoilt."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    return shutil.copytree(clone, tmp_path / "own")
