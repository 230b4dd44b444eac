"""training.checkpoint_folder: what a killed run leaves is found again, and removed when old."""

import os
import time
from pathlib import Path

import pytest

from skinlesion.training import checkpoint_folder

KEY, OTHER = "0123456789abcdef" * 2, "f" * 32


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ("/a/project", "/a/project"),
        ("/a/project/.dvc/tmp/exps/tmp1x2", "/a/project"),
        ("/a/project/.dvc/tmp/exps/standalone/tmp1x2/sub", "/a/project"),
        ("/a/.dvc/project", "/a/.dvc/project"),
    ],
)
def test_an_experiments_temporary_folder_leads_to_its_repository(stage, expected):
    assert checkpoint_folder.folder(Path(stage)) == Path(expected) / "checkpoints"


@pytest.fixture
def left(tmp_path):
    """Leave something that was last changed so long ago."""

    def leave(name: str, age: float) -> str:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
        changed = time.time() - age
        for of in {path, tmp_path / Path(name).parts[0]}:
            os.utime(of, (changed, changed))
        return name

    return leave


def remaining(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def test_what_is_old_goes(tmp_path, left):
    old = checkpoint_folder.KEPT_S + 60
    for name in (f"{KEY}.npz", f"{KEY}-x1.part", f"{OTHER}/test-000000.parquet"):
        left(name, old)
    checkpoint_folder.remove_old(tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_what_is_recent_or_not_of_a_run_stays(tmp_path, left):
    recent, old = checkpoint_folder.KEPT_S - 60, checkpoint_folder.KEPT_S + 60
    stays = {
        left(f"{KEY}.npz", recent),
        left(f"{OTHER}/test-000000.parquet", recent),
        left("mine.npz", old),
        left(f"{KEY}0.npz", old),
        left("notes/a.txt", old),
    }
    checkpoint_folder.remove_old(tmp_path)

    assert remaining(tmp_path) == stays


def test_a_folder_that_is_not_there_holds_nothing_old(tmp_path):
    checkpoint_folder.remove_old(tmp_path / "checkpoints")
