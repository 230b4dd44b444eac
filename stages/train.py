"""Stage `train`: fit one fold's network; keep the epoch of the highest validation pAUC.

    python stages/train.py FOLD FOLDS_CSV DRAWS_CSV PRIOR_JSON TABULAR_FOLDER IMAGES \
        MODEL_FOLDER LOG_FOLDER

The holdout is not read. Each epoch's values go to LOG_FOLDER through dvclive. A run that was
killed leaves its last epoch in the folder `checkpoints`, where the next one goes on from it.
Of processes that train together (docs/scaling.md), one writes and prints.
"""

import sys
from pathlib import Path

from skinlesion import backend, errors, params, stores


def main(
    number: str,
    folds_csv: Path,
    draws_csv: Path,
    prior_json: Path,
    tabular_folder: Path,
    images_path: Path,
    model_folder: Path,
    log_folder: Path,
) -> None:
    keras_p = params.load("keras", backend.Params)
    backend.start(keras_p)
    # Keras has its backend now.
    from skinlesion import (
        augment,
        checkpoint,
        distribution,
        fingerprint,
        fold,
        model,
        pretrained,
        trained,
        training,
        unfinished,
    )

    share = distribution.start(keras_p.devices)

    def say(line: str) -> None:
        if share.writes:
            print(f"fold {number}: {line}", flush=True)

    p = params.load("train", training.Params)
    model_p = params.load("model", model.Params)
    augment_p = params.load("augment", augment.Params)
    store = stores.open_store(images_path) if model_p.backbone != "none" else None
    paths = (folds_csv, draws_csv, prior_json, tabular_folder)
    data = fold.read(int(number), *paths, store, image_px=model_p.image_px)

    inputs_md5 = fingerprint.md5s((*paths, images_path))
    blocks = {"keras": keras_p, "model": model_p, "augment": augment_p, "train": p}
    given = blocks | {"fold": number, "devices": share.devices}
    run = fingerprint.parts(Path(__file__), inputs_md5, **given)
    for name, text in run.items():
        distribution.require_same(text, f"agree on {name}")

    architecture = model.Architecture(
        model=model_p, n_features=data.n_features, imagenet_input=model_p.weights != "none"
    )
    network = model.build(architecture, constant=data.encoder.constant_indices)
    pretrained.initialise(network, model_p)
    folder = unfinished.folder(Path.cwd())
    kept = checkpoint.Checkpoint(folder, fingerprint.key(run, network), say)
    with training.logger(log_folder, writes=share.writes) as log:
        inputs = (network, data.epochs, data.validation, p)
        best = training.fit(*inputs, augmentation=augment_p, log=log, checkpoint=kept)
    if not share.writes:
        return
    facts = trained.Facts(
        prior_shift=data.validation.prior_shift,
        best_epoch=best.epoch,
        validation=best.values,
        backend=keras_p.backend,
        precision=keras_p.precision,
        versions=fingerprint.versions(),
        inputs_md5=inputs_md5,
    )
    trained.save(
        model_folder, network, architecture=architecture, encoder=data.encoder, facts=facts
    )
    kept.remove()
    unfinished.remove_old(folder)
    say(
        f"best epoch {best.epoch + 1} of {p.n_epochs}, validation "
        f"pAUC {best.values['validation/pauc']:.4f}, AUC {best.values['validation/auc']:.4f}"
    )


if __name__ == "__main__":
    errors.run(main, *sys.argv[1:2], *map(Path, sys.argv[2:]))
