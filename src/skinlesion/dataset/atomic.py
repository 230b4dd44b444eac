"""Write a file atomically: complete under its name, or not at all, also after a power failure."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

__all__ = ["SUFFIX", "file"]

SUFFIX = ".part"  # of a file that is not complete


@contextmanager
def file(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing that gets its name once it is complete and on the disk.

    Until then, and if anything goes wrong, an earlier file of that name stays. Meanwhile it lies
    beside it under a name that no other writer has, so several may write the same file at once:
    the last to end stays. Only a process that is killed leaves such a part behind; nothing looks
    at it.

    Args:
        path: In a folder that exists.

    Yields:
        The file to write.

    Raises:
        OSError: It cannot be written; what was, is removed.
    """
    part = path.with_name(f"{path.stem}-{secrets.token_hex(8)}{SUFFIX}")
    try:
        with part.open("xb") as opened:
            yield opened
            opened.flush()
            os.fsync(opened.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Flush a folder, so that a new name in it survives a power failure."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # of disks of the network that sync no folder
            raise
    finally:
        os.close(handle)
