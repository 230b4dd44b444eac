"""Stage `predict`: score the test set; with FOLDS_CSV also the holdout and out-of-fold lesions.

    python stages/predict.py MODELS METADATA_CSV IMAGES OUT_FOLDER \
        [FOLDS_CSV TRAIN_METADATA_CSV TRAIN_IMAGES]

MODELS is one model's folder, or holds one folder fold-K per fold; their logits are averaged.
Scores any challenge folder with the first four arguments, without DVC. Writes submission.csv
and unreadable.csv, then holdout.csv and oof.csv: isic_id, patient_id, target, fold, score.
Of processes that score together (docs/scaling.md), one writes; each says where its pieces go.
"""

import sys
from collections import deque
from pathlib import Path

import pandas as pd

from skinlesion import backend, crew, errors, metadata, params, split, stores


def main(
    models_folder: Path,
    metadata_csv: Path,
    images_path: Path,
    out: Path,
    *learnt_from: Path,
) -> None:
    keras_p = params.load("keras", backend.Params)
    backend.start(keras_p)
    # Keras has its backend now.
    from skinlesion import engine, fingerprint, predict, trained, unfinished

    p = params.load("predict", predict.Params)
    expected = params.load("split", split.Params).train_folds if learnt_from else None
    models = engine.prepared(trained.load_folds(models_folder, expected=expected), p.engine)
    everyone = list(models.values())

    def pieces_folder() -> Path:
        inputs = fingerprint.md5s((models_folder, metadata_csv, images_path, *learnt_from))
        run = fingerprint.parts(Path(__file__), inputs, keras=keras_p, predict=p)
        return unfinished.folder(Path.cwd()) / fingerprint.key(run)

    among = crew.of_environment(pieces_folder)

    isic_ids, store = predict.isic_ids(metadata_csv), stores.open_store(images_path)
    pieces = predict.score(
        everyone, metadata_csv, store, p, name="test", n_lesions=len(isic_ids), crew=among
    )
    if among.joins:
        out.mkdir(parents=True, exist_ok=True)
        counts = predict.write_test_set(pieces, isic_ids, out)
        print(
            f"predict: {counts['n_lesions']:,} test lesions scored by {len(models)} model(s), "
            f"{counts['n_unreadable']:,} of them without a readable tile"
        )
    deque(pieces, maxlen=0)  # another process has nothing to write
    if learnt_from:
        folds_csv, train_csv, train_images = learnt_from
        folds, store = metadata.read(folds_csv), stores.open_store(train_images)
        sides = {split.HOLDOUT: everyone} | {k: [m] for k, m in models.items()}
        scored = {
            side: predict.score_fold(
                members,
                folds[folds["fold"] == side],
                train_csv,
                store,
                p,
                name="holdout" if side == split.HOLDOUT else f"fold {side}",
                crew=among,
            )
            for side, members in sides.items()
        }
        if among.joins:
            scored.pop(split.HOLDOUT).to_csv(out / "holdout.csv", index=False)
            pd.concat(scored.values()).to_csv(out / "oof.csv", index=False)
    among.remove()
    unfinished.remove_old(unfinished.folder(Path.cwd()))


if __name__ == "__main__":
    errors.run(main, *map(Path, sys.argv[1:]))
