"""The params of a training."""

from dataclasses import dataclass, replace

from skinlesion.errors import InputError
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

    def require_agreement(self) -> None:
        """Refuse blocks of which one asks for what another does not give.

        Raises:
            InputError: A linear head is to be fitted, and there are layers before the logit; or
                auxiliary targets, and there is no image branch that could learn them.
        """
        p, units = self.train, (self.model.tabular_units, self.model.head_units)
        if p.fitted == "head" and any(units):
            raise InputError(
                "params.yaml: where train.fitted is head, model must have tabular_units: [] and "
                f"head_units: []. Got {units[0]} and {units[1]} instead."
            )
        if p.auxiliary.groups and self.model.backbone == "none":
            raise InputError(
                "params.yaml: train.auxiliary must have weights of 0 where model.backbone is none. "
                f"Got {p.auxiliary.groups} instead."
            )

    @property
    def recipe(self) -> phases.Recipe:
        """How the network is fitted, whichever it is."""
        return phases.Recipe(train=self.train, augment=self.augment)

    def blocks(self) -> dict[str, Block]:
        """List the blocks by name."""
        return dict(vars(self))
