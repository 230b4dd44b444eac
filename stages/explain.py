"""Stage `explain`: what each input gives to the ranking, and where the image branch looks.

    python stages/explain.py MODELS PREDICTIONS TRAIN_METADATA_CSV TRAIN_IMAGES EXPLANATIONS

Of the holdout, or of the out-of-fold lesions where there is none. Writes importance.csv, and
gallery.csv with the tiles that the ranking gets most wrong, each with its occlusion map.
"""

import sys
from pathlib import Path

from skinlesion import backend, bootstrap, errors, metadata, params, split, stores


def main(
    models_folder: Path,
    predictions: Path,
    metadata_csv: Path,
    images_path: Path,
    out: Path,
) -> None:
    backend.start(params.load("keras", backend.Params))
    # Keras has its backend now.
    from skinlesion import explanation, halves, occlusion, predict, trained

    p = params.load("explain", explanation.Params)
    batch_size = params.load("predict", predict.Params).batch_size
    resampling = params.load("measure", bootstrap.Params)
    expected = params.load("split", split.Params).train_folds
    models = trained.load_folds(models_folder, expected=expected)
    cut = {fold: halves.cut(m) for fold, m in models.items()}
    holdout, oof = (metadata.read(predictions / name) for name in ("holdout.csv", "oof.csv"))
    scored = explanation.primary(holdout, oof)
    names, text = trained.columns(list(models.values()))
    table = metadata.read(metadata_csv, columns=["isic_id", *names], text=text)
    store = stores.open_store(images_path)
    out.mkdir(parents=True, exist_ok=True)

    lesions = explanation.sample(scored, p)
    members = halves.read(cut, lesions, table, store, batch_size=batch_size)
    found = explanation.importance(members, lesions, p, resampling)
    found.to_csv(out / "importance.csv", index=False)

    wrong = explanation.most_wrong(scored, p)
    members = halves.read(cut, wrong, table, store, batch_size=batch_size)
    drops = occlusion.drops(members, len(wrong), fraction=p.patch_fraction, batch_size=batch_size)
    gallery = occlusion.write(wrong, drops, store, out, fraction=p.patch_fraction)
    gallery.to_csv(out / "gallery.csv", index=False)
    print(f"explain: {explanation.summary(found)}")
    print(f"{out}: {len(found)} measures of importance, {len(gallery)} tiles")


if __name__ == "__main__":
    errors.run(main, *map(Path, sys.argv[1:]))
