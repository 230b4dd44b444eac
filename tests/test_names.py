"""Names of data folders and files: what people call them, dvc.yaml hands on as it is."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from ruamel.yaml import YAML

from skinlesion import params
from skinlesion.dataset import metadata

ROOT = Path(__file__).parents[1]
ODD = "-it's my dätä; (1) & #2 *"


@pytest.fixture(scope="module")
def repository(challenge, tmp_path_factory):
    """A git repository of the project, whose challenge folder and tiles have odd names."""
    folder = tmp_path_factory.mktemp("here") / "a project"
    for name in ("src", "stages"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dvc.yaml", ".gitignore", ".dvcignore", ".dvc/config"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    (folder / ODD).mkdir()
    for half in ("train", "test"):
        shutil.copy(challenge / f"{half}-metadata.csv", folder / ODD)
        shutil.copy(challenge / f"{half}-image.hdf5", folder / ODD / f"{half} {ODD}.h5")
    yaml = YAML()
    given = yaml.load(ROOT / "params.yaml")
    given["data"] |= {
        "raw": ODD,
        "train_images": f"train {ODD}.h5",
        "test_images": f"test {ODD}.h5",
    }
    given["split"]["n_folds"] = 2
    yaml.dump(given, folder / "params.yaml")
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    return folder


def repro(repository: Path, stage: str) -> subprocess.CompletedProcess:
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "DVC_SITE_CACHE_DIR": str(repository.parent / "site"),
        "ITERATIVE_DO_NOT_TRACK": "1",
    }
    line = ["dvc", "repro", stage]
    return subprocess.run(line, cwd=repository, env=environment, capture_output=True, text=True)


def test_a_folder_may_be_called_what_people_call_it(repository):
    ran = repro(repository, "encode")
    assert ran.returncode == 0, ran.stderr

    lesions = pd.read_csv(repository / "data/interim/lesions.csv")
    assert len(lesions) == len(pd.read_csv(repository / ODD / "train-metadata.csv"))
    assert len(pd.read_parquet(repository / "data/processed/fold-0/tabular.parquet"))


def test_a_file_whose_name_would_end_the_command_line_is_refused_before_it(repository):
    """By one double quote, where a shell would say that a quoted string is unterminated."""
    path = repository / "params.yaml"
    before = path.read_text()
    yaml = YAML()
    given = yaml.load(before)
    given["data"]["train_images"] = 'a"b.h5'
    yaml.dump(given, path)
    ran = repro(repository, "check")
    path.write_text(before)

    assert ran.returncode != 0
    assert "error: params.yaml: data.train_images must be a name without" in ran.stderr
    assert "Unterminated" not in ran.stderr


@pytest.mark.parametrize("key", ["raw", "train_images", "test_images"])
@pytest.mark.parametrize("name", ['a"b', "a$b", "$(date)", "a`b", "a\\b", "a\nb", ""])
def test_a_name_that_a_shell_would_read_is_refused_by_its_key(tmp_path, key, name):
    path = tmp_path / "params.yaml"
    yaml = YAML()
    given = yaml.load(ROOT / "params.yaml")
    given["data"][key] = name
    yaml.dump(given, path)
    with pytest.raises(params.ParamsError, match=rf"data\.{key} must be a name without|at least 1"):
        params.load("data", metadata.Params, path)
