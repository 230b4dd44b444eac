"""The params of a training."""

from dataclasses import dataclass

from skinlesion.network import augment, backend, model
from skinlesion.params import Block
from skinlesion.training import fitting, schedule

__all__ = ["Settings"]


@dataclass(frozen=True)
class Settings:
    """The blocks of params.yaml that decide a training, under their names there."""

    keras: backend.Params
    model: model.Params
    augment: augment.Params
    train: schedule.Params

    @property
    def recipe(self) -> fitting.Recipe:
        """How the network is fitted, whichever it is."""
        return fitting.Recipe(train=self.train, augment=self.augment)

    def blocks(self) -> dict[str, Block]:
        """List the blocks by name."""
        return dict(vars(self))
