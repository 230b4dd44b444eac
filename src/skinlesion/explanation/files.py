"""What the explanation is made from, beside the models and their scores."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Files"]


@dataclass(frozen=True)
class Files:
    """Where it is."""

    train_metadata: Path
    train_images: Path
    experts: Path  # a folder fold-K per fold, from `boost`
    features: Path  # from `derive`
