"""Models cut behind their image branch, so that the parts run one without the other."""

from collections.abc import Mapping
from dataclasses import dataclass

import keras
import numpy as np

from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.network import trained

__all__ = ["CutModel", "cut", "every"]

N_ROWS = 4096  # of features that go through a network at a time


@dataclass(frozen=True)
class CutModel:
    """A model cut in two behind its image branch. The parts share its weights."""

    whole: trained.Trained
    image_branch: keras.Model | None  # from tiles to pooled features
    rest: keras.Model  # from the list of pooled and tabular features, whichever exist, to the logit

    def pooled(self, tiles: np.ndarray) -> np.ndarray:
        """Run the image branch.

        Args:
            tiles: Shape (n, px, px, 3), uint8. Always the same n, or it is compiled again.

        Returns:
            Shape (n, n_pooled), float32; n_pooled is 0 without an image branch.
        """
        if self.image_branch is None:
            return np.empty((len(tiles), 0), np.float32)
        return np.asarray(self.image_branch.predict_on_batch(tiles), np.float32)

    def logits(self, pooled: np.ndarray, encoded: np.ndarray) -> np.ndarray:
        """Run the network from the pooled features on.

        Args:
            pooled: Shape (n, n_pooled), of n lesions.
            encoded: Shape (n, n_features), the tabular features.

        Returns:
            Shape (n,), float64, on the true prior.
        """
        given = [features for features in (pooled, encoded) if features.shape[1]]
        found = [
            # Not compiled: to trace a few dense layers takes longer than to run them.
            keras.ops.convert_to_numpy(
                self.rest([features[i : i + N_ROWS] for features in given], training=False)
            )
            for i in range(0, len(pooled), N_ROWS)
        ]
        return np.concatenate(found)[:, 0].astype(np.float64) - self.whole.facts.prior_shift


def cut(m: trained.Trained) -> CutModel:
    """Cut a model in two behind its image branch.

    Args:
        m: The model.
    """
    inputs = dict(m.logits.input)
    if "image" not in inputs:
        return CutModel(m, None, keras.Model(list(inputs.values()), m.logits.output))
    tiles, pooled = inputs.pop("image"), m.logits.get_layer("image_pool").output
    rest = keras.Model([pooled, *inputs.values()], m.logits.output)
    return CutModel(m, keras.Model(tiles, pooled), rest)


def every(models: Mapping[FoldSeed, trained.Trained]) -> dict[FoldSeed, CutModel]:
    """Cut models, as an executor needs them.

    Args:
        models: By fold and seed.
    """
    return {one: cut(m) for one, m in models.items()}
