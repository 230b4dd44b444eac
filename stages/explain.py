"""Stage `explain`: what each input gives to the ranking, and where the image branch looks.

Of the holdout, or of the out-of-fold lesions where there is none. Writes importance.csv, and
gallery.csv with the tiles that the ranking gets most wrong, each with its occlusion map.
"""

from pathlib import Path

from skinlesion import command, params
from skinlesion.dataset import metadata, partition, stores
from skinlesion.evaluation import bootstrap
from skinlesion.explanation import branches, occlusion, permutation
from skinlesion.network import backend, trained


def main(
    models: Path, predictions: Path, *, train_metadata: Path, train_images: Path, out: Path
) -> None:
    backend.start(params.load("keras", backend.Params))
    p = params.load("explain", permutation.Params)
    resampling = params.load("measure", bootstrap.Params)
    expected = params.load("split", partition.Params).train_folds
    loaded = trained.load_folds(models, expected=expected)
    cut = {fold: branches.cut(m) for fold, m in loaded.items()}
    names, text = trained.columns(list(loaded.values()))
    table = metadata.read(train_metadata, columns=["isic_id", *names], text=text)
    store = stores.open_store(train_images)
    scored = permutation.primary(predictions)

    lesions = permutation.sample(scored, p)
    members = branches.read(cut, lesions, table, store, batch_size=p.batch_size)
    found = permutation.importance(members, lesions, p, resampling)
    wrong = permutation.most_wrong(scored, p)
    members = branches.read(cut, wrong, table, store, batch_size=p.batch_size)
    drops = occlusion.drops(members, len(wrong), p.patch_fraction, batch_size=p.batch_size)
    out.mkdir(parents=True, exist_ok=True)
    gallery = occlusion.write(wrong, drops, store, out, fraction=p.patch_fraction)
    found.to_csv(out / "importance.csv", index=False)
    gallery.to_csv(out / "gallery.csv", index=False)
    print(f"explain: {permutation.summary(found)}")
    print(f"{out}: {len(found)} measures of importance, {len(gallery)} tiles")


if __name__ == "__main__":
    command.run(main)
