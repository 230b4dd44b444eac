"""Stage `train`: fit one fold's network; keep the epoch of the highest validation pAUC.

    python stages/train.py FOLD FOLDS_CSV DRAWS_CSV PRIOR_JSON TABULAR_FOLDER IMAGES \
        MODEL_FOLDER LOG_FOLDER

The holdout is not read. Each epoch's values go to LOG_FOLDER through dvclive. A run that was
killed leaves its last epoch in the folder `checkpoints`, where the next one goes on from it.
Of processes that train together (docs/scaling.md), one writes and prints.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from dvclive import Live

from skinlesion import backend, batches, errors, metadata, params, stores


def main(
    fold: str,
    folds_csv: Path,
    draws_csv: Path,
    prior_json: Path,
    tabular_folder: Path,
    images_path: Path,
    model_folder: Path,
    log_folder: Path,
) -> None:
    runtime = params.load("keras", backend.Params)
    backend.start(runtime)
    from skinlesion import (  # after start
        augment,
        checkpoint,
        distribution,
        fingerprint,
        model,
        pretrained,
        tabular,
        trained,
        training,
    )

    share = distribution.start(runtime.devices)
    p = params.load("train", training.Params)
    network_p = params.load("model", model.Params)
    augmentation = params.load("augment", augment.Params)
    encoder = tabular.load(tabular_folder / "encoder.json")
    table = pd.read_parquet(tabular_folder / "tabular.parquet")
    lesions = batches.Lesions(
        table.pop("isic_id").to_numpy(),
        np.ascontiguousarray(table.to_numpy(np.float32)),
        stores.open_store(images_path) if network_p.backbone != "none" else None,
        network_p.image_px,
    )
    folds = metadata.read(folds_csv).set_index("isic_id").loc[lesions.isic_ids]
    y_true = folds["target"].to_numpy()
    held = (folds["fold"] == int(fold)).to_numpy()
    shift = json.loads(prior_json.read_text())["prior_shift"]
    validation = training.Validation(batches.select(lesions, held), y_true[held], shift)

    facts = trained.facts(
        (folds_csv, draws_csv, prior_json, tabular_folder, images_path),
        prior_shift=shift,
        best_epoch=0,  # until it is known
        validation={},
        backend=runtime.backend,
        precision=runtime.precision,
    )
    decided_by = (fold, facts, runtime, network_p, augmentation, p)
    distribution.require_same(
        fingerprint.key(Path(__file__), None, *decided_by),
        "run one commit, with one params.yaml, on the same data and kind of machine",
    )

    architecture = model.Architecture(
        model=network_p,
        n_features=lesions.tabular.shape[1],
        imagenet_input=network_p.weights != "none",
    )
    network = model.build(architecture, constant=encoder.constant_indices)
    pretrained.initialise(network, network_p)
    kept = checkpoint.Checkpoint(
        fingerprint.kept(Path.cwd()),
        fingerprint.key(Path(__file__), network, *decided_by),
        say=lambda line: print(f"fold {fold}: {line}", flush=True),
    )
    with _logging(log_folder, writes=share.writes) as log:
        best = training.fit(
            network,
            batches.planned(lesions, y_true, metadata.read(draws_csv)),
            validation,
            p,
            augmentation=augmentation,
            log=log,
            checkpoint=kept,
        )
    if not share.writes:
        return
    facts = facts.model_copy(update={"best_epoch": best.epoch, "validation": best.values})
    trained.save(model_folder, network, architecture=architecture, encoder=encoder, facts=facts)
    kept.remove()
    print(
        f"fold {fold}: best epoch {best.epoch + 1} of {p.n_epochs}, validation "
        f"pAUC {best.values['validation/pauc']:.4f}, AUC {best.values['validation/auc']:.4f}"
    )


@contextmanager
def _logging(folder: Path, *, writes: bool) -> Iterator[Callable[[int, dict[str, float]], None]]:
    from skinlesion import training

    if not writes:
        yield lambda epoch, values: None
        return
    with Live(str(folder), dvcyaml=None, save_dvc_exp=False, report=None) as live:
        yield training.live_logger(live)


if __name__ == "__main__":
    errors.run(main, *sys.argv[1:2], *map(Path, sys.argv[2:]))
