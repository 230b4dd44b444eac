"""The params of a training."""

from dataclasses import dataclass, replace

from skinlesion.network import augment, backend, model
from skinlesion.params import Block
from skinlesion.training import phases, schedule

__all__ = ["Settings"]


@dataclass(frozen=True)
class Settings:
    """The blocks of params.yaml that decide a training, under their names there."""

    keras: backend.Params
    model: model.Params
    augment: augment.Params
    train: schedule.Params

    def of_seed(self, seed: int) -> "Settings":
        """Return the params of one network: those of a run of it alone.

        Args:
            seed: From 0; added to keras.seed and train.seed.
        """
        return replace(
            self,
            keras=self.keras.model_copy(update={"seed": self.keras.seed + seed}),
            train=self.train.model_copy(update={"seed": self.train.seed + seed, "n_seeds": 1}),
        )

    @property
    def recipe(self) -> phases.Recipe:
        """How the network is fitted, whichever it is."""
        return phases.Recipe(train=self.train, augment=self.augment)

    def blocks(self) -> dict[str, Block]:
        """List the blocks by name."""
        return dict(vars(self))
