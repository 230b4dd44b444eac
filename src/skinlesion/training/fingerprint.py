"""A key for a run: the hash of everything that decides its bits."""

import hashlib
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import keras

from skinlesion.network import identity
from skinlesion.params import Block

__all__ = ["key", "parts"]


def parts(script: Path, inputs: Mapping[str, str], **given: Block | str) -> dict[str, str]:
    """Collect everything that decides the bits of a run of a stage.

    Args:
        script: The one that runs; the modules of the package loaded so far count with it.
        inputs: From `identity.md5s`.
        **given: Blocks of params by name, and what else decides it.

    Returns:
        Texts by subject: "code", "versions", "machine", "inputs" and each that is given.
        Another processor, kind of device or number of threads is another machine, since those
        may round otherwise.
    """
    return {
        "code": _code(script),
        "versions": _listing(identity.versions().items()),
        "machine": ", ".join(identity.machine()),
        "inputs": _listing(inputs.items()),
        **{k: v if isinstance(v, str) else v.model_dump_json() for k, v in given.items()},
    }


def key(parts: Mapping[str, str], network: keras.Model | None = None) -> str:
    """Hash what decides a run.

    Args:
        parts: From `parts`.
        network: Before its first step: its weights stand for seeds and pretrained files.

    Returns:
        32 hexadecimal digits.
    """
    digest = hashlib.sha256(_listing(parts.items(), "\n").encode())
    for variable in network.variables if network else ():
        digest.update(keras.ops.convert_to_numpy(variable).tobytes())
    return digest.hexdigest()[:32]


def _listing(items: Iterable[tuple[str, str]], between: str = ", ") -> str:
    return between.join(f"{name} {text}" for name, text in items)


def _code(script: Path) -> str:
    package = __name__.partition(".")[0]
    loaded = [m for name, m in sorted(sys.modules.items()) if name.split(".")[0] == package]
    digest = hashlib.sha256()
    for path in [script, *(Path(m.__file__) for m in loaded if m.__file__)]:
        digest.update(f"{path.name} {identity.sha256(path)}\n".encode())
    return digest.hexdigest()[:32]
