"""Read a whole HDF5 file in a process of its own, which damage may end or hang.

The HDF5 library crashes on some damaged files: that of a process cannot be caught within it.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from skinlesion.dataset.hdf5 import Hdf5
from skinlesion.errors import InputError

__all__ = ["require_readable"]

PATIENCE_S = 60.0  # for the next tile
_OTHER = "from skinlesion.dataset import rehearsal; rehearsal._read_all()"


def require_readable(path: Path, *, patience_s: float = PATIENCE_S) -> None:
    """Refuse a file that crashes the HDF5 library, or on which it does not come to an end.

    Args:
        path: An HDF5 file. What else is wrong with it, is not said here.
        patience_s: How long a tile may take, in seconds.

    Raises:
        InputError: The process that read it was ended, with the last tile that it tried.
    """
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, "-c", _OTHER, path], env=environment, **pipes) as other:
        last, in_time = _last_line(other, patience_s)
        if not in_time:
            other.kill()
    if in_time and other.returncode >= 0:
        return
    how = signal.Signals(-other.returncode).name if in_time else f"no answer in {patience_s:g} s"
    where = f"at the tile of {last}" if last else "while its tiles were listed"
    raise InputError(f"{path} must be a whole HDF5 file. Reading it failed {where}: {how}.")


def _last_line(other: subprocess.Popen[bytes], patience_s: float) -> tuple[str, bool]:
    """Listen until another process ends, or is silent for too long; return its last whole line."""
    assert other.stdout is not None
    said = b""
    while select.select([other.stdout], [], [], patience_s)[0]:
        heard = os.read(other.stdout.fileno(), 65536)
        said = (said + heard)[-65536 * 2 :]
        if not heard:
            return _line(said), True
    return _line(said), False


def _line(said: bytes) -> str:
    whole = said.rpartition(b"\n")[0]
    return whole.rpartition(b"\n")[2].decode("ascii")


def _read_all() -> None:
    """Read each tile, and say which before. What is refused is told by whoever reads it next."""
    with contextlib.suppress(InputError):
        store = Hdf5(Path(sys.argv[1]))
        for isic_id in store.ids():
            _read(store, isic_id)


def _read(store: Hdf5, isic_id: str) -> None:
    os.write(1, ascii(isic_id)[1:-1].encode() + b"\n")
    with contextlib.suppress(InputError):
        store.read(isic_id)
