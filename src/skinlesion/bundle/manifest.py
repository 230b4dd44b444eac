"""The manifest of a bundle: the SHA-256 of each of its files, checked before any is used."""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path

from pydantic import ValidationError

from skinlesion.errors import InputError
from skinlesion.params import Block

__all__ = ["NAME", "Manifest", "checked", "of", "write"]

NAME = "manifest.json"
FORMAT = 1  # of bundles; another number is another layout


class Manifest(Block):
    """Which files make a bundle."""

    format: int
    version: str  # of this package, which wrote it
    files: dict[str, str]  # SHA-256 by path, relative to the folder

    @property
    def checksum(self) -> str:
        """SHA-256 of the manifest, and so of all of the bundle."""
        return hashlib.sha256(_text(self).encode()).hexdigest()


def of(folder: Path) -> Manifest:
    """Make the manifest of the files that lie in a folder.

    Args:
        folder: That of a bundle, complete or not.
    """
    files = {name: _digest(folder / name) for name in _names(folder)}
    return Manifest(format=FORMAT, version=version("skinlesion"), files=files)


def write(folder: Path) -> Manifest:
    """Write the manifest, as the last file of a bundle.

    Args:
        folder: That of the bundle.
    """
    found = of(folder)
    (folder / NAME).write_text(_text(found), encoding="utf-8")
    return found


def checked(folder: Path) -> Manifest:
    """Read the manifest of a bundle, and compare each of its files with it.

    Args:
        folder: That of the bundle.

    Raises:
        InputError: There is no manifest, or of another format; or a file is absent, changed, or not
            in it.
    """
    found = _read(folder / NAME)
    if found.format != FORMAT:
        raise InputError(
            f"{folder} must be a bundle of format {FORMAT}. Got format {found.format}, of "
            f"skinlesion {found.version}: install that version, or export the bundle anew."
        )
    present = set(_names(folder))
    for name, digest in found.files.items():
        if name not in present:
            raise InputError(f"{folder / name} must be there, as {NAME} says. It is not.")
        if (actual := _digest(folder / name)) != digest:
            raise InputError(
                f"{folder / name} must have the SHA-256 {digest}, as {NAME} says. Got {actual}."
            )
    if extra := sorted(present - found.files.keys()):
        raise InputError(f"{folder} must hold the files of {NAME} only. Got {extra[0]}, too.")
    return found


def _read(path: Path) -> Manifest:
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"{path.parent} must be a bundle. It holds no {path.name}.") from None
    except NotADirectoryError:
        raise InputError(f"{path.parent} must be a bundle, a folder. It is a file.") from None
    except (OSError, ValidationError) as error:
        raise InputError(f"{path} must be the manifest of a bundle. {error}") from None


def _names(folder: Path) -> list[str]:
    files = (path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir())
    return sorted(path.as_posix() for path in files if path.as_posix() != NAME)


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} must be a file of the bundle. {error}") from None


def _text(manifest: Manifest) -> str:
    return json.dumps(manifest.model_dump(), indent=1) + "\n"
