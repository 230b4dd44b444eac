"""What the explanation is made from, beside the models and their scores."""

from dataclasses import dataclass
from pathlib import Path

from skinlesion.dataset import stores

__all__ = ["Files"]


@dataclass(frozen=True)
class Files:
    """Where it is."""

    train_metadata: Path
    train_images: Path
    experts: Path  # a folder fold-K per fold, from `boost`
    features: Path  # from `derive`

    def store(self) -> stores.Store | None:
        """Open the tiles; None for a folder of tables alone, which is named in their place.

        Raises:
            InputError: As for `stores.open_store`.
        """
        opened = stores.open_store(self.train_images)
        beside = self.train_images.resolve() == self.train_metadata.parent.resolve()
        return None if beside and not opened.ids() else opened
