"""experiments.repository: what DVC and git refuse is an error that a user can mend."""

import subprocess

import pytest
from dvc.exceptions import DvcException
from dvc.repo import Repo
from scmrepo.exceptions import SCMError

from skinlesion.errors import InputError
from skinlesion.experiments import repository


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    return tmp_path


def git(line: str) -> None:
    subprocess.run(f"git {line}", shell=True, check=True)


@pytest.fixture
def commit(folder):
    git("init -q -b main .")
    Repo.init().close()
    git("-c user.name=x -c user.email=x@y commit -q --allow-empty -m first")


def test_a_folder_in_no_repository_is_an_error(folder):
    with pytest.raises(InputError, match="not inside of a DVC repository"), repository.opened():
        pass


def test_a_repository_without_git_is_an_error(folder):
    Repo.init(no_scm=True).close()

    with pytest.raises(InputError, match="Git"), repository.opened():
        pass


def test_it_is_found_from_a_folder_below(folder, commit, monkeypatch):
    (folder / "below").mkdir()
    monkeypatch.chdir(folder / "below")

    with repository.opened() as repo:
        assert repo.root_dir == str(folder)


@pytest.mark.parametrize("kind", [DvcException, SCMError])
def test_what_is_refused_within_is_an_error_of_ours(folder, commit, kind):
    with pytest.raises(InputError, match="no such thing"), repository.opened():
        raise kind("no such thing")


def test_a_defect_within_stays_one(folder, commit):
    with pytest.raises(ZeroDivisionError), repository.opened():
        raise ZeroDivisionError
