"""Stage `explain`: what each input gives to the ranking, and where the image branch looks.

Of the holdout, or of the out-of-fold lesions where there is none. Writes importance.csv, and
gallery.csv with the tiles that the ranking gets most wrong, each with its occlusion map; of the
table expert, table-importance.csv, and table-reasons.csv for the same lesions. Where
DASK_SCHEDULER_ADDRESS is set, the workers of that cluster run the image branches.
"""

from pathlib import Path

from skinlesion import command, params
from skinlesion.dataset import fold_seed, metadata, partition
from skinlesion.evaluation import bootstrap
from skinlesion.explanation import (
    branches,
    cutting,
    files,
    gallery,
    occlusion,
    permutation,
    table_expert,
)
from skinlesion.network import backend, trained
from skinlesion.scoring import executor


def main(models: Path, calibrated: Path, given: files.Files, *, out: Path) -> None:
    keras = params.load("keras", backend.Params)
    backend.start(keras)
    p = params.load("explain", permutation.Params)
    resampling = params.load("measure", bootstrap.Params)
    expected = params.load("split", partition.Params).train_folds
    every = fold_seed.every(expected, params.load("train", fold_seed.Params).n_seeds)
    loaded = trained.load_folds(models, expected=every)
    names, text = trained.columns(list(loaded.values()))
    table = metadata.read(given.train_metadata, columns=["isic_id", *names], text=text)
    scored, cut = permutation.primary(calibrated), cutting.every(loaded)
    lesions, wrong = permutation.sample(scored, p), permutation.most_wrong(scored, p)
    plan = executor.Plan(models, tuple(every), keras, cutting.every)
    with executor.opened(plan, loaded) as run_on:
        run = run_on(given.train_images)
        members = branches.read(cut, lesions, table, run, batch_size=p.batch_size)
        found = permutation.importance(members, lesions, p, resampling)
        members = branches.read(cut, wrong, table, run, batch_size=p.batch_size)
        drops = occlusion.drops(members, len(wrong), run, p.patch_fraction, batch_size=p.batch_size)
    out.mkdir(parents=True, exist_ok=True)
    shown = gallery.write(wrong, drops, given.store(), out, fraction=p.patch_fraction)
    found.to_csv(out / "importance.csv", index=False)
    shown.to_csv(out / "gallery.csv", index=False)
    table_expert.write(given, expected, table_expert.Job(lesions, wrong, p, resampling), out)
    print(f"explain: {permutation.summary(found)}")
    print(f"{out}: {len(found)} measures of importance, {len(shown)} tiles")


if __name__ == "__main__":
    command.run(main)
