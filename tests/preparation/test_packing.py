"""preparation.packing: every tile with its very bytes, or a reason; the whole file, or none."""

import fcntl
import io
import itertools
import os
import signal
import subprocess
import threading
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests import command_line
from tests.process import PATIENCE, changed, python

from skinlesion.dataset import stores
from skinlesion.errors import InputError
from skinlesion.preparation import packing

EARLIER = b"an earlier file"


def encoded(seed: int, kind: str = "JPEG") -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (24, 24, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


TILES = {f"ISIC_{i:07d}": encoded(i, "PNG" if i == 3 else "JPEG") for i in range(9)}
BROKEN = {
    "ISIC_0000100": b"",
    "ISIC_0000101": TILES["ISIC_0000001"][:-100],
    "ISIC_0000102": b"isic_id,target\n",
}


class Memory:
    """Tiles that lie in memory."""

    def __init__(self, tiles: dict[str, bytes]) -> None:
        self.tiles, self.n_read = tiles, 0

    def ids(self) -> list[str]:
        return sorted(self.tiles)

    def read(self, isic_id: str) -> bytes:
        self.n_read += 1
        return self.tiles[isic_id]


def plain(tiles, total):
    return tiles


def pack(tiles: dict[str, bytes], path: Path, **options) -> dict[str, str]:
    return packing.pack(Memory(tiles), path, **{"progress": plain} | options)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def path(tmp_path):
    return tmp_path / "train-image.hdf5"


@pytest.fixture
def folder(tmp_path):
    """Write tiles into a folder, in the order given, by turns into two folders of it."""

    def write(tiles: dict[str, bytes], name: str = "tiles") -> Path:
        for i, (isic_id, data) in enumerate(tiles.items()):
            file = tmp_path / name / f"{i % 2}" / f"{isic_id}.jpg"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        return tmp_path / name

    return write


# === The file ===


@pytest.mark.parametrize("block", [1, 4, 9, 100])
def test_every_tile_is_read_back_with_its_very_bytes(path, monkeypatch, block):
    monkeypatch.setattr(packing, "BLOCK", block)
    assert pack(TILES, path) == {}
    store = stores.open_store(path)
    assert {isic_id: store.read(isic_id) for isic_id in store.ids()} == TILES
    assert files(path.parent) == ["train-image.hdf5"]


def test_the_layout_is_that_of_the_official_file(path):
    pack(TILES, path)
    with h5py.File(path) as file:
        assert {isic_id: tile.dtype for isic_id, tile in file.items()} == {
            isic_id: np.dtype(f"S{len(data)}") for isic_id, data in TILES.items()
        }
        assert {tile.shape for tile in file.values()} == {()}


def test_nul_bytes_behind_a_tile_are_kept(path):
    padded = {isic_id: data + b"\0\0" for isic_id, data in TILES.items()}
    pack(padded, path)
    assert stores.open_store(path).read("ISIC_0000001") == padded["ISIC_0000001"]


def test_who_may_read_the_file_is_as_for_any_new_file(path):
    pack(TILES, path)
    other = path.with_name("other")
    other.touch()
    assert path.stat().st_mode == other.stat().st_mode


def test_where_the_files_lie_and_when_they_were_written_does_not_matter(folder, tmp_path):
    shuffled = dict(sorted(TILES.items(), key=lambda tile: tile[1]))
    made = [tmp_path / "a.hdf5", tmp_path / "b.hdf5"]
    for hdf5, tiles in zip(made, (folder(TILES, "a"), folder(shuffled, "b")), strict=True):
        packing.pack(stores.open_store(tiles), hdf5, progress=plain)
    assert made[0].read_bytes() == made[1].read_bytes()


def test_a_pack_of_a_pack_is_the_same_file(path, tmp_path):
    pack(TILES, path)
    packing.pack(stores.open_store(path), tmp_path / "again.hdf5", progress=plain)
    assert (tmp_path / "again.hdf5").read_bytes() == path.read_bytes()


def test_no_more_than_a_block_of_tiles_is_read_ahead(path, monkeypatch):
    monkeypatch.setattr(packing, "BLOCK", 2)
    store, ahead = Memory(TILES), []

    def watched(tiles, total):
        for n_written, tile in enumerate(tiles):
            ahead.append(store.n_read - n_written)
            yield tile

    packing.pack(store, path, progress=watched)
    assert len(ahead) == len(TILES)
    assert max(ahead) <= 2


def test_tiles_are_read_by_several_threads_at_once(path):
    together = threading.Barrier(2, timeout=PATIENCE)

    class Waiting(Memory):
        def read(self, isic_id: str) -> bytes:
            together.wait()
            return super().read(isic_id)

    packing.pack(Waiting(dict(list(TILES.items())[:8])), path, progress=plain)
    assert len(stores.open_store(path).ids()) == 8


def test_progress_is_told_how_many_tiles_there_are(path):
    totals = []
    pack(TILES, path, progress=lambda tiles, total: totals.append(total) or tiles)
    assert totals == [9]


# === Broken tiles ===


def test_every_broken_tile_is_named_with_its_reason(path):
    path.write_bytes(EARLIER)
    with pytest.raises(InputError, match=rf"{path} must be packed .* Got 3 broken:") as refused:
        pack(TILES | BROKEN, path)
    named = dict(line.strip().split(": ", 1) for line in str(refused.value).splitlines()[1:])
    assert named.keys() == BROKEN.keys()
    assert all(reason.startswith("must be a whole JPEG or PNG.") for reason in named.values())
    assert named["ISIC_0000100"].endswith("It is empty.")
    assert path.read_bytes() == EARLIER
    assert files(path.parent) == ["train-image.hdf5"]


def test_broken_tiles_are_left_out_on_request_and_listed(path):
    left_out = pack(TILES | BROKEN, path, leave_out_broken=True)
    store, listed = stores.open_store(path), pd.read_csv(packing.left_out_csv(path))
    assert {isic_id: store.read(isic_id) for isic_id in store.ids()} == TILES
    assert left_out.keys() == BROKEN.keys()
    assert dict(zip(listed["isic_id"], listed["reason"], strict=True)) == left_out
    assert files(path.parent) == ["train-image-left-out.csv", "train-image.hdf5"]


def test_when_no_tile_is_left_out_no_earlier_list_says_so(path):
    pack(TILES | BROKEN, path, leave_out_broken=True)
    pack(TILES, path, leave_out_broken=True)
    assert files(path.parent) == ["train-image.hdf5"]


@pytest.mark.parametrize("tiles", [{}, BROKEN])
def test_a_file_without_any_tile_is_not_written(path, tiles):
    with pytest.raises(InputError, match=rf"{path} must get tiles\. None of {len(tiles)} is whole"):
        pack(tiles, path, leave_out_broken=True)
    assert files(path.parent) == []


def test_a_tile_that_cannot_be_read_is_broken(path, folder):
    tiles = folder(TILES)
    (tiles / "ISIC_0000200.jpg").mkdir()
    left_out = packing.pack(stores.open_store(tiles), path, leave_out_broken=True, progress=plain)
    assert left_out.keys() == {"ISIC_0000200"}
    assert left_out["ISIC_0000200"].startswith("it cannot be read.")


@pytest.mark.parametrize("name", [".", "ISIC_\udce9", "ISIC_1\n"])
def test_a_name_that_hdf5_cannot_hold_is_a_broken_tile(path, name):
    left_out = pack(TILES | {name: TILES["ISIC_0000001"]}, path, leave_out_broken=True)
    assert left_out == {name: "its name must be printable text."}


# === The whole file, or none ===


def test_until_the_file_is_whole_the_earlier_one_stays(path):
    path.write_bytes(EARLIER)
    found = []

    def watched(tiles, total):
        for tile in tiles:
            found.append(path.read_bytes())
            yield tile
        found.append(path.read_bytes())

    pack(TILES, path, progress=watched)
    assert found == [EARLIER] * (len(TILES) + 1)
    assert len(stores.open_store(path).ids()) == len(TILES)


@pytest.mark.parametrize("n", [0, 5, 9])
def test_whatever_is_raised_meanwhile_leaves_the_earlier_file_and_no_other(path, n):
    path.write_bytes(EARLIER)

    def failing(tiles, total):
        yield from itertools.islice(tiles, n)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        pack(TILES, path, progress=failing)
    assert path.read_bytes() == EARLIER
    assert files(path.parent) == ["train-image.hdf5"]


def test_hdf5_is_written_in_a_thread_that_ctrl_c_does_not_strike(path):
    writers = set()

    def watched(tiles, total):
        for tile in tiles:
            writers.add(threading.current_thread())
            yield tile

    pack(TILES, path, progress=watched)
    assert len(writers) == 1
    assert threading.main_thread() not in writers


def test_the_file_is_on_the_disk_before_it_takes_its_name(path, monkeypatch):
    path.write_bytes(EARLIER)
    found = []

    def watched(disk):
        found.append((path.read_bytes(), os.fstat(disk.fileno()).st_size))
        os.fsync(disk)

    monkeypatch.setattr(packing, "os", changed(os, fsync=watched))
    pack(TILES, path)
    assert found == [(EARLIER, path.stat().st_size)]


CHILD = """
import itertools, os, resource, signal, sys, threading
from pathlib import Path
from skinlesion import command
from skinlesion.dataset import images, stores
from skinlesion.preparation import packing

def killed(tiles, total):
    for n, tile in enumerate(tiles):
        if n == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        yield tile

def interrupted(tiles, total):
    yield from tiles
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
    yield from itertools.repeat(("ISIC_1", b"", "waits to be stopped"), 1_000_000)
    print("not stopped")

def whole(tiles, total):
    return tiles

def main(tiles, path, how, n_bytes):
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent may have it ignored
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(n_bytes),) * 2)
    packing.pack(stores.open_store(Path(tiles)), Path(path), progress=globals()[how])

with command.one_line_errors():
    main(*sys.argv[1:])
"""


def in_a_process(tiles: Path, path: Path, how: str, n_bytes: int) -> subprocess.CompletedProcess:
    """Pack in a process that is killed or not, on a disk that takes so many bytes of a file."""
    return python(CHILD, tiles, path, how, n_bytes)


def test_ctrl_c_stops_the_writer_and_leaves_the_earlier_file_and_no_other(path, folder):
    path.write_bytes(EARLIER)
    ran = in_a_process(folder(TILES), path, "interrupted", 1_000_000)
    assert ran.stderr.splitlines()[-1] == "error: interrupted"
    assert ran.stdout == ""
    assert path.read_bytes() == EARLIER
    assert files(path.parent) == ["tiles", "train-image.hdf5"]


def test_what_a_killed_run_leaves_the_next_one_cleans_up(path, folder):
    path.write_bytes(EARLIER)
    ran = in_a_process(folder(TILES), path, "killed", 1_000_000)
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    assert path.read_bytes() == EARLIER
    assert "train-image.hdf5.part" in files(path.parent)

    with pytest.raises(InputError, match="3 broken"):
        pack(TILES | BROKEN, path)
    assert files(path.parent) == ["tiles", "train-image.hdf5"]


def test_what_is_left_of_a_larger_file_does_not_matter(path, tmp_path):
    (tmp_path / "train-image.hdf5.part").write_bytes(b"x" * 100_000)
    pack(TILES, path)
    pack(TILES, tmp_path / "other.hdf5")
    assert path.read_bytes() == (tmp_path / "other.hdf5").read_bytes()
    assert files(tmp_path) == ["other.hdf5", "train-image.hdf5"]


@pytest.mark.parametrize("missing", [1, 5000, 10_000])
def test_a_full_disk_is_an_input_error_and_leaves_the_earlier_file_and_no_other(
    path, folder, tmp_path, missing
):
    pack(TILES, tmp_path / "whole.hdf5")
    n_bytes = (tmp_path / "whole.hdf5").stat().st_size - missing
    path.write_bytes(EARLIER)
    ran = in_a_process(folder(TILES), path, "whole", n_bytes)
    assert ran.returncode == 1
    assert ran.stderr.startswith(f"error: {path} must be a file that can be written. [Errno 27]")
    assert len(ran.stderr.splitlines()) == 1
    assert path.read_bytes() == EARLIER
    assert files(path.parent) == ["tiles", "train-image.hdf5", "whole.hdf5"]


def test_two_runs_cannot_write_one_file(path):
    part = path.with_name("train-image.hdf5.part")
    part.write_bytes(b"of the other run")
    with part.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(InputError, match=rf"{part} must be written by one run at a time"):
            pack(TILES, path)
        assert part.read_bytes() == b"of the other run"


def test_a_run_that_ends_as_this_one_begins_keeps_its_file(path, monkeypatch):
    part = path.with_name("train-image.hdf5.part")

    def too_late(disk, how):
        part.replace(path)
        fcntl.flock(disk, how)

    part.write_bytes(EARLIER)
    monkeypatch.setattr(packing, "fcntl", changed(fcntl, flock=too_late))
    with pytest.raises(InputError, match="must be written by one run at a time"):
        pack(TILES, path)
    assert path.read_bytes() == EARLIER


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    absent = tmp_path / "absent" / "train-image.hdf5"
    with pytest.raises(InputError, match=rf"{absent} must be a file that can be written\. \S"):
        pack(TILES, absent)
    with pytest.raises(InputError, match=rf"{tmp_path} must be a file\. It is a folder"):
        pack(TILES, tmp_path)


# === The command line ===


def refusal(capsys, *args: str | Path) -> str:
    assert command_line.run("pack", *args) == 1
    return capsys.readouterr().err


def test_a_folder_is_packed_with_a_progress_bar_and_a_line(path, folder, capsys):
    assert command_line.run("pack", folder(TILES), path) == 0
    shown = capsys.readouterr()
    assert shown.out == f"pack: 9 tiles into {path}\n"
    assert "pack: 100%" in shown.err
    assert len(stores.open_store(path).ids()) == 9


def test_broken_tiles_end_the_command_with_code_1_and_all_their_names(path, folder, capsys):
    shown = refusal(capsys, folder(TILES | BROKEN), path)
    assert "error: " in shown
    assert all(isic_id in shown for isic_id in BROKEN)
    assert not path.exists()


def test_the_command_says_what_it_left_out_and_where_it_is_listed(path, folder, capsys):
    command_line.run("pack", folder(TILES | BROKEN), path, "--leave-out-broken")
    assert capsys.readouterr().out.splitlines() == [
        f"pack: 9 tiles into {path}",
        f"left out 3 broken tiles: see {packing.left_out_csv(path)}",
    ]


def test_two_files_of_one_isic_id_end_the_command_with_code_1(path, folder, capsys):
    tiles = folder(TILES)
    (tiles / "ISIC_0000001.png").write_bytes(TILES["ISIC_0000003"])
    assert "Got several of ['ISIC_0000001']" in refusal(capsys, tiles, path)
    assert not path.exists()
