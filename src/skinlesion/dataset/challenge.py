"""The four files of a challenge folder."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Files"]


@dataclass(frozen=True)
class Files:
    """Where they are. A file of tiles may also be a folder of them: see `stores.open_store`."""

    train_metadata: Path
    train_images: Path
    test_metadata: Path
    test_images: Path
