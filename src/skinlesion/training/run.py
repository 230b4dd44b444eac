"""One training: its data, its network and its checkpoint; saving what was trained."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras

from skinlesion.network import identity, model, pretrained, trained
from skinlesion.training import (
    checkpoint,
    checkpoint_folder,
    distribution,
    fingerprint,
    fitting,
    head,
    pooled,
)
from skinlesion.training.fold import Files, Fold, read
from skinlesion.training.logger import Log
from skinlesion.training.settings import Settings

__all__ = ["Run", "start"]


@dataclass(frozen=True)
class Run:
    """A network that is to be fitted to a fold."""

    data: Fold
    settings: Settings
    network: keras.Model
    architecture: model.Architecture
    kept: checkpoint.Checkpoint
    pooled: pooled.Cache
    inputs_md5: dict[str, str]  # of the files, by path

    def fit(self, log: Log) -> checkpoint.Best:
        """Fit the network, or its last layer alone.

        Args:
            log: Called after each epoch with its number, from 0, and its values.

        Raises:
            InputError: As for `fitting.fit` and `head.fit`.
        """
        examples, train = self.data.examples, self.settings.train
        if train.fitted == "head":
            return head.fit(self.network, examples, train, log=log, cache=self.pooled)
        return fitting.fit(
            self.network, examples, self.settings.recipe, log=log, checkpoint=self.kept
        )

    def save(self, folder: Path, best: checkpoint.Best) -> None:
        """Write the trained network, and remove its checkpoint and old ones.

        Args:
            folder: Made if need be.
            best: From `fitting.fit`, which left the network with its weights.
        """
        facts = trained.Facts(
            prior_shift=self.data.examples.validation.prior_shift,
            best_epoch=best.epoch,
            validation=best.values,
            backend=self.settings.keras.backend,
            precision=self.settings.keras.precision,
            versions=identity.versions(),
            inputs_md5=self.inputs_md5,
        )
        trained.save(
            folder,
            self.network,
            architecture=self.architecture,
            encoder=self.data.encoder,
            facts=facts,
        )
        self.kept.remove()
        checkpoint_folder.remove_old(self.kept.folder)


def start(
    fold: int, files: Files, settings: Settings, *, script: Path, say: Callable[[str], None]
) -> Run:
    """Read a fold and build its network. Keras, and the devices, are started.

    Args:
        fold: The validation fold.
        files: Of that fold.
        settings: The params.
        script: Of the stage; its code is part of the checkpoint's name.
        say: Called with a sentence about the checkpoint that a user should know.

    Returns:
        The run. Its checkpoint has the name of all that decides its bits.

    Raises:
        InputError: A file is malformed, or processes that train together differ in something
            that decides the bits.
    """
    if settings.train.fitted == "head":
        head.refuse(settings.model)
    data = read(fold, files, settings.model, settings.train.auxiliary)
    inputs_md5 = identity.md5s(vars(files).values())
    others = {"fold": str(fold), "devices": distribution.current().devices}
    others["tiles"] = inputs_md5[files.images.as_posix()]
    parts = fingerprint.parts(script, inputs_md5, **settings.blocks(), **others)
    for name, text in parts.items():
        distribution.require_same(text, f"agree on {name}")
    architecture = model.Architecture(
        model=settings.model,
        n_features=data.n_features,
        imagenet_input=settings.model.weights != "none",
    )
    network = model.build(architecture, constant=data.encoder.constant_indices)
    pretrained.initialise(network, settings.model)
    folder = checkpoint_folder.folder(Path.cwd())
    kept = checkpoint.Checkpoint(folder, fingerprint.key(parts, network), say)
    of_tiles = pooled.Cache(folder, _key_of_features(parts, settings, network), say)
    return Run(data, settings, network, architecture, kept, of_tiles, inputs_md5)


def _key_of_features(parts: dict[str, str], settings: Settings, network: keras.Model) -> str:
    """Name the features of tiles, which folds, draws and tables do not change."""
    if settings.model.backbone == "none":
        return fingerprint.key(parts)
    deciding = {name: parts[name] for name in ("code", "versions", "machine", "keras", "devices")}
    deciding["model"] = settings.model.model_dump_json(include={"image_px", "pooled_stages"})
    deciding |= {"tiles": parts["tiles"], "views": str(settings.train.head.n_views)}
    return fingerprint.key(deciding, network.get_layer("backbone"))
