"""The trainings of a fold: data, network and checkpoint of each; saving what was trained."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras

from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.network import identity, model, pretrained, trained
from skinlesion.training import (
    checkpoint,
    checkpoint_folder,
    distribution,
    fingerprint,
    fitting,
    head,
    logger,
    pooled,
)
from skinlesion.training.fold import Files, Fold, read
from skinlesion.training.settings import Settings

__all__ = ["Run", "finish", "start"]


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

    def fit(self, log: logger.Log) -> checkpoint.Best:
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
        """Write the trained network. Its checkpoint stays: `finish` removes it.

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


def start(
    fold: int, files: Files, settings: Settings, *, script: Path, writes: bool = True
) -> Iterator[Run]:
    """Read a fold, and build its networks, one per seed. Keras, and the devices, are started.

    Args:
        fold: The validation fold.
        files: Of that fold.
        settings: The params.
        script: Of the stage; its code is part of the checkpoint's name.
        writes: Whether this process prints; of processes that train together, one.

    Yields:
        A run per seed, from 0, its network built when it is asked for. Its checkpoint has the name
        of all that decides its bits, and these are the bits of a run of that seed alone.

    Raises:
        InputError: A file is malformed, or processes that train together differ in something
            that decides the bits.
    """
    settings.require_agreement()
    data = read(fold, files, settings.model, settings.train.auxiliary)
    inputs_md5 = identity.md5s(vars(files).values())
    others = {"fold": str(fold), "devices": distribution.current().devices}
    others["tiles"] = inputs_md5[files.images.as_posix()]
    for seed in range(settings.train.n_seeds):
        of_seed = settings.of_seed(seed)
        parts = fingerprint.parts(script, inputs_md5, **of_seed.blocks(), **others)
        for name, text in parts.items():
            distribution.require_same(text, f"agree on {name}")
        say = logger.speaker(str(FoldSeed(fold, seed)), speaks=writes)
        yield _built(data, of_seed, parts, inputs_md5, say)


def finish(kept: Sequence[checkpoint.Checkpoint]) -> None:
    """Remove the checkpoints of runs that are all saved, and old ones.

    Until then those of the first seeds stay: DVC removes the outs of a stage that was killed.

    Args:
        kept: Of the runs; one at least.
    """
    for each in kept:
        each.remove()
    checkpoint_folder.remove_old(kept[0].folder)


def _built(
    data: Fold,
    settings: Settings,
    parts: dict[str, str],
    inputs_md5: dict[str, str],
    say: Callable[[str], None],
) -> Run:
    architecture = model.Architecture(
        model=settings.model,
        n_features=data.n_features,
        imagenet_input=settings.model.weights != "none",
    )
    keras.utils.set_random_seed(settings.keras.seed)
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
    of_model = {"image_px", "pooled_stages", "pool_sigma"}
    deciding["model"] = settings.model.model_dump_json(include=of_model)
    deciding |= {"tiles": parts["tiles"], "views": str(settings.train.head.n_views)}
    return fingerprint.key(deciding, network.get_layer("backbone"))
