"""Stage `predict`: score the test set, the holdout and the out-of-fold lesions.

Writes submission.csv and unreadable.csv of the test set; holdout.csv and oof.csv: isic_id,
patient_id, target, fold and score. The holdout is scored by all models, whose logits are
averaged; each out-of-fold lesion by the models that did not see it. Where DASK_SCHEDULER_ADDRESS
is set, the workers of that cluster score.

Beside them, network-*.csv holds how far the network's logits spread, and image-*.npy its pooled
image features, shortened: those of the first fold's first model, so of out-of-fold lesions that
fold's.

The table expert scores the same lesions by their numbers: table-test.csv, table-holdout.csv and
table-oof.csv.
"""

import sys
from functools import partial
from pathlib import Path

from skinlesion import command, params
from skinlesion.dataset import challenge, fold_seed, metadata, partition
from skinlesion.features import anomalies
from skinlesion.network import backend, trained
from skinlesion.scoring import (
    engine,
    executor,
    lesions,
    members,
    predict,
    test_scores,
    test_set,
    training_set,
)


def main(
    models: Path, folder: challenge.Files, *, numbers: members.Files, folds: Path, out: Path
) -> None:
    keras = params.load("keras", backend.Params)
    backend.start(keras)
    p = params.load("predict", predict.Params)
    expected = params.load("split", partition.Params).train_folds
    split, tables = metadata.read(folds), members.load(numbers.experts, expected)
    every = fold_seed.every(expected, params.load("train", fold_seed.Params).n_seeds)
    loaded = trained.load_folds(models, expected=every)
    sys.stderr.write(anomalies.said(folder.test_metadata, [m.encoder for m in loaded.values()]))
    prepare = partial(engine.prepared, name=p.engine, features_of=min(every))
    with executor.opened(executor.Plan(models, tuple(every), keras, prepare), loaded) as run_on:
        test = lesions.Source(folder.test_metadata, run_on(folder.test_images))
        train = lesions.Source(folder.train_metadata, run_on(folder.train_images))
        scored, features = test_scores.score(loaded, test, p)
        print(test_set.summary(scored, n_models=len(loaded)))
        holdout, oof = training_set.score(loaded, split, train, p)
    out.mkdir(parents=True, exist_ok=True)
    test_scores.write(scored, features, out)
    training_set.write(holdout, oof, out)
    members.write(tables, numbers.features, split, out)


if __name__ == "__main__":
    command.run(main)
