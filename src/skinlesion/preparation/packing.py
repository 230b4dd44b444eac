"""Pack tiles into one HDF5 file, in the layout of the challenge: all of it, or none."""

import csv
import fcntl
import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import h5py
import numpy as np
from tqdm import tqdm

from skinlesion.dataset import images, stores
from skinlesion.errors import InputError

__all__ = ["left_out_csv", "pack"]

N_READERS = 8  # Pillow decodes without the GIL; more than cores, since a far disk lets them wait
BLOCK = 128  # tiles in memory at once

Tile: TypeAlias = tuple[str, bytes, str]  # isic_id, bytes, and "" or why it cannot be packed


def pack(
    store: stores.Store,
    path: Path,
    *,
    leave_out_broken: bool = False,
    progress: Callable[..., Any] = tqdm,
) -> dict[str, str]:
    """Write the tiles of a store into an HDF5 file, their bytes as they are.

    The file takes its name when it is whole and on the disk; until then, and if anything goes
    wrong, an earlier file of that name stays. It lies as `<name>.part` beside it meanwhile: what
    a killed run leaves there, the next one writes over. The same tiles make the same bytes.

    Args:
        store: The tiles. Each is decoded, to see that it is whole.
        path: The file to write.
        leave_out_broken: Whether broken tiles are left out, and named in `left_out_csv(path)`;
            if not, they are an error. Without any, a list of an earlier run is removed.
        progress: Wraps the iteration over the tiles, as tqdm does.

    Returns:
        The isic_ids of the tiles that were left out, and why.

    Raises:
        InputError: No tile is whole; tiles are broken, all of which are named, and must not be
            left out; the file cannot be written; or another run is writing it.
    """
    isic_ids = store.ids()
    # The pool is ended here, not by a generator, which a collection of garbage may close anywhere.
    with _whole(path) as disk, ThreadPoolExecutor(N_READERS + 1) as pool:
        tiles = progress(_tiles(store, isic_ids, pool), total=len(isic_ids))
        broken = _in_thread(pool, disk, tiles)
        if len(broken) == len(isic_ids):
            raise InputError(f"{path} must get tiles. None of {len(isic_ids):,} is whole.")
        if broken and not leave_out_broken:
            raise InputError(_refusal(path, broken))
        _list(broken, left_out_csv(path))
    return broken


def left_out_csv(path: Path) -> Path:
    """Tell where the tiles that were left out of a file are listed: isic_id and reason.

    Args:
        path: The HDF5 file.
    """
    return path.with_name(f"{path.stem}-left-out.csv")


class _Disk(io.FileIO):
    """A file that keeps its first error, to be raised when asked for, and raises none itself.

    HDF5 writes late, where h5py can raise nothing, and crashes where it cannot write to close.
    """

    error: BaseException | None = None

    def write(self, data: Any) -> int:
        with self._keeping():
            n_written = 0
            while n_written < len(data):
                n_written += super().write(data[n_written:]) or 0
        return len(data)

    def truncate(self, size: int | None = None) -> int:
        with self._keeping():
            super().truncate(size)
        return size or 0

    @contextmanager
    def _keeping(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self.error = self.error or error

    def require_written(self) -> None:
        if self.error:
            raise self.error


@contextmanager
def _whole(path: Path) -> Iterator[_Disk]:
    """Give a file to write, which takes the name `path` at the end, or is removed."""
    if path.is_dir():
        raise InputError(f"{path} must be a file. It is a folder.")
    part = path.with_name(f"{path.name}.part")
    try:
        with _locked(part) as disk, _removed_on_error(part):
            disk.truncate(0)
            yield disk
            disk.require_written()
            os.fsync(disk)
            part.replace(path)
    except OSError as error:
        raise InputError(f"{path} must be a file that can be written. {error}") from None


@contextmanager
def _locked(part: Path) -> Iterator[_Disk]:
    """Open a file for one run alone, as it is; the end of the process frees it, too."""
    with _Disk(part, "r+", opener=_open) as disk:
        try:
            fcntl.flock(disk, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # A run that ended since the file was opened has moved it away.
            alone = os.path.samestat(os.fstat(disk.fileno()), part.stat())
        except (BlockingIOError, FileNotFoundError):
            alone = False
        if not alone:
            raise InputError(f"{part} must be written by one run at a time. Another is at it.")
        yield disk


def _open(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_CREAT, 0o666)


@contextmanager
def _removed_on_error(part: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _in_thread(pool: Executor, disk: _Disk, tiles: Iterable[Tile]) -> dict[str, str]:
    """Write in another thread: Ctrl-C strikes the main one, and so never inside HDF5."""
    try:
        return pool.submit(_write, disk, tiles).result()
    except BaseException as error:
        disk.error = error  # stops the writer at its next tile
        raise


def _tiles(store: stores.Store, isic_ids: Sequence[str], pool: Executor) -> Iterator[Tile]:
    # In blocks: a pool takes all its work at once, and keeps every tile that waits.
    for start in range(0, len(isic_ids), BLOCK):
        yield from pool.map(partial(_tile, store), isic_ids[start : start + BLOCK])


def _tile(store: stores.Store, isic_id: str) -> Tile:
    try:
        # What is no text has no UTF-8, and "." is HDF5's word for the file itself.
        if isic_id == "." or not isic_id.isprintable():
            raise images.ImageError("its name must be printable text.")
        data = store.read(isic_id)
        images.decode(data)
    except images.ImageError as error:
        return isic_id, b"", str(error)
    return isic_id, data, ""


def _write(disk: _Disk, tiles: Iterable[Tile]) -> dict[str, str]:
    with h5py.File(disk, "w") as file:
        return dict(_broken(disk, file, tiles))


def _broken(disk: _Disk, file: h5py.File, tiles: Iterable[Tile]) -> Iterator[tuple[str, str]]:
    """Write the tiles that are whole; yield the isic_id of every other one, and why."""
    for isic_id, data, reason in tiles:
        disk.require_written()
        if reason:
            yield isic_id, reason
            continue
        # As in the official files, a string of fixed length; NULs at its end would be padding.
        value = np.void(data) if data.endswith(b"\0") else np.bytes_(data)
        # No time of writing, or the same tiles would be another file tomorrow.
        file.create_dataset(isic_id, data=value, track_times=False)


def _refusal(path: Path, broken: dict[str, str]) -> str:
    lines = "".join(f"\n  {isic_id}: {reason}" for isic_id, reason in broken.items())
    return (
        f"{path} must be packed from whole tiles, or the others be left out on purpose "
        f"(leave_out_broken). Got {len(broken):,} broken:{lines}"
    )


def _list(broken: dict[str, str], path: Path) -> None:
    if not broken:
        path.unlink(missing_ok=True)
        return
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("isic_id", "reason"), *broken.items()])
    with _whole(path) as disk:
        # A file's name may be no text.
        disk.write(text.getvalue().encode(errors="backslashreplace"))
