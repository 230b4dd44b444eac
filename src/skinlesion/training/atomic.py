"""Put a file into place whole, or not at all, whenever the process or the power fails."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

__all__ = ["SUFFIX", "file"]

SUFFIX = ".part"  # of what is not whole yet


@contextmanager
def file(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing that takes its name once it is written, and is on the disk.

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
    """Make a new name in a folder outlive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # of disks of the network that sync no folder
            raise
    finally:
        os.close(handle)
