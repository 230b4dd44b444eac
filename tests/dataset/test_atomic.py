"""dataset.atomic: under its name a file is whole, or what it was before."""

import errno
import os

import pytest
from tests.process import changed, python

from skinlesion.dataset import atomic


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "of.one.npz"
    path.write_bytes(b"before")
    return path


def write(path, content: bytes) -> None:
    with atomic.file(path) as file:
        file.write(content)


def names(path) -> list[str]:
    return sorted(other.name for other in path.parent.iterdir())


def test_a_file_takes_its_name_when_it_is_written(path):
    with atomic.file(path) as file:
        file.write(b"after")
        assert path.read_bytes() == b"before"

    assert path.read_bytes() == b"after"
    assert names(path) == [path.name]


def test_it_is_on_the_disk_before_it_takes_its_name_and_the_name_after(path, monkeypatch):
    done: list[str] = []

    def fsync(handle: int) -> None:
        is_folder = os.path.samestat(os.fstat(handle), path.parent.stat())
        size = os.fstat(handle).st_size
        done.append("name synced" if is_folder else f"{size} bytes synced")

    def replace(*of) -> None:
        done.append("named")
        os.replace(*of)

    monkeypatch.setattr(atomic, "os", changed(os, fsync=fsync, replace=replace))
    write(path, b"after")

    assert done == ["5 bytes synced", "named", "name synced"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_an_error_leaves_what_was_there_and_nothing_else(path, error):
    def fails() -> None:
        with atomic.file(path) as file:
            file.write(b"aft")
            raise error

    with pytest.raises(error):
        fails()

    assert path.read_bytes() == b"before"
    assert names(path) == [path.name]


HALF_WRITTEN = """
import resource, sys
from pathlib import Path
from skinlesion.dataset import atomic

resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
with atomic.file(Path(sys.argv[1])) as file:
    file.write(bytes(8192))
"""


def test_a_disk_that_takes_half_of_a_file_leaves_what_was_there_and_nothing_else(path):
    ran = python(HALF_WRITTEN, path)

    assert ran.stderr.splitlines()[-1].startswith(f"OSError: [Errno {errno.EFBIG}]")
    assert path.read_bytes() == b"before"
    assert names(path) == [path.name]


def test_several_may_write_the_same_file_at_once(path):
    with atomic.file(path) as one:
        one.write(b"one")
        with atomic.file(path) as other:
            other.write(b"other")
            assert len(names(path)) == 3
        assert path.read_bytes() == b"other"

    assert path.read_bytes() == b"one"
    assert names(path) == [path.name]


def test_while_it_is_written_it_is_told_apart_by_its_ending_and_found_by_its_stem(path):
    with atomic.file(path):
        [part] = set(names(path)) - {path.name}

    assert part.startswith("of.one-")
    assert part.endswith(atomic.SUFFIX)


def test_who_may_read_it_is_as_for_any_new_file(path):
    other = path.with_name("other")
    other.touch()
    write(path, b"after")

    assert path.stat().st_mode == other.stat().st_mode


@pytest.fixture
def folder_fails(path, monkeypatch):
    def arrange(code: int) -> None:
        def fsync(handle: int) -> None:
            if os.path.samestat(os.fstat(handle), path.parent.stat()):
                raise OSError(code, os.strerror(code))

        monkeypatch.setattr(atomic, "os", changed(os, fsync=fsync))

    return arrange


def test_a_disk_that_syncs_no_folder_will_do(path, folder_fails):
    folder_fails(errno.EINVAL)
    write(path, b"after")

    assert path.read_bytes() == b"after"


def test_any_other_error_of_the_folder_is_one(path, folder_fails):
    folder_fails(errno.ENOSPC)
    with pytest.raises(OSError, match="No space"):
        write(path, b"after")
