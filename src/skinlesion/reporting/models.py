"""The formats of what is known of the models: models/fold-K/facts.json and the block `train`."""

from typing import Annotated, Literal

from pydantic import Field

from skinlesion.params import Block
from skinlesion.reporting.formats import Format, having

__all__ = ["Facts", "Train"]


class Facts(Format):
    """The file facts.json of a model."""

    prior_shift: float
    best_epoch: int
    validation: Annotated[dict[str, float], having("validation/auc", "validation/pauc")]
    backend: str
    precision: str
    versions: dict[str, str]
    inputs_md5: dict[str, str]


class Train(Block, extra="ignore"):
    """What the block `train` says of what a fold chose."""

    fitted: Literal["network", "head"]
    select: Literal["best", "last"]
    n_seeds: int = Field(ge=1)

    @property
    def chose_epoch(self) -> bool:
        """Whether the fold left out chose the epoch that is kept."""
        return self.fitted == "network" and self.select == "best"
