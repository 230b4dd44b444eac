"""Write a bundle: what stages before have fitted, and networks in the format of LiteRT."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skinlesion.boosting import expert
from skinlesion.bundle import manifest, networks, runtime, table, unusual
from skinlesion.dataset import metadata
from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.derivation import plan
from skinlesion.errors import InputError
from skinlesion.evaluation import calibration
from skinlesion.features import tabular

__all__ = ["Fitted", "Network", "middle", "summary", "write"]


ONNX = "network.onnx"


@dataclass(frozen=True)
class Network:
    """The network of a fold and seed."""

    content: bytes  # from `conversion.litert`
    encoder: tabular.Encoder
    facts: networks.Facts
    onnx: bytes | None = None  # for other engines


@dataclass(frozen=True)
class Fitted:
    """Where stages before have written what a bundle holds."""

    experts: Path  # a folder fold-K per fold, from `boost`
    features: Path  # from `derive`, for its plan
    calibrated: Path  # from `calibrate`
    profile: Path  # of the training lesions, from `shift`


def write(
    folder: Path,
    given: Mapping[FoldSeed, Network],
    fitted: Fitted,
    settings: tuple[plan.Params, runtime.Settings],
) -> None:
    """Write all but card and manifest.

    Args:
        folder: Emptied first.
        given: The networks by fold and seed.
        fitted: Where the rest is.
        settings: How numbers are derived, and how networks score.

    Raises:
        InputError: A file is absent.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for one, network in given.items():
        into = folder / runtime.NETWORKS / one.path
        into.mkdir(parents=True)
        (into / networks.NETWORK).write_bytes(network.content)
        if network.onnx is not None:
            (into / ONNX).write_bytes(network.onnx)
        tabular.save(network.encoder, into / networks.ENCODER)
        (into / networks.FACTS).write_text(network.facts.model_dump_json(indent=1) + "\n")
    derive, scoring = settings
    (folder / runtime.SETTINGS).write_text(scoring.model_dump_json(indent=1) + "\n")
    for name in (runtime.COMBINATION, runtime.CALIBRATION):
        _copy(fitted.calibrated / name, folder / name)
    _copy(fitted.profile, folder / unusual.NAME)
    folds = sorted({one.fold for one in given})
    _write_table(folder / runtime.TABLE, folds, fitted, derive)


def summary(folder: Path, sealed: manifest.Manifest) -> str:
    """Say in a line what was written.

    Args:
        folder: Of the bundle.
        sealed: From `manifest.write`.
    """
    n_bytes = sum((folder / name).stat().st_size for name in sealed.files)
    return f"export: {folder}, {len(sealed.files)} files, {n_bytes / 1e6:.1f} MB"


def middle(calibrated: Path) -> float:
    """Say what stands for the networks' logit where no tile can be read: the median out of fold.

    Args:
        calibrated: From `calibrate`.

    Raises:
        InputError: The out-of-fold scores are absent.
    """
    oof = metadata.read(calibrated / "oof.csv")
    column = "member_network" if "member_network" in oof else "score"
    return float(calibration.logits(np.median(oof[column].to_numpy(np.float64))))


def _write_table(folder: Path, folds: list[int], fitted: Fitted, derive: plan.Params) -> None:
    """Copy the experts; none where they found nothing to learn from."""
    experts = expert.load_folds(fitted.experts, expected=folds)
    for fold, e in experts.items():
        into, source = folder / f"fold-{fold}", fitted.experts / f"fold-{fold}"
        into.mkdir(parents=True)
        n_trees = {mode: len(of.boosters) for mode, of in e.ensembles.items()}
        texts = [f"{mode}-{seed}.txt" for mode, n in n_trees.items() for seed in range(n)]
        for name in [expert.FACTS, *texts]:
            _copy(source / name, into / name)
    if experts:
        settings = table.Settings(derive=derive, plan=plan.load(fitted.features))
        (folder / table.SETTINGS).write_text(settings.model_dump_json(indent=1) + "\n")


def _copy(source: Path, to: Path) -> None:
    try:
        to.write_bytes(source.read_bytes())
    except OSError as error:
        raise InputError(f"{source} must be there, for the bundle. {error}") from None
