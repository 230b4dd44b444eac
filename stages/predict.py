"""Stage `predict`: score the test set, the holdout and the out-of-fold lesions.

Writes submission.csv and unreadable.csv of the test set; holdout.csv and oof.csv: isic_id,
patient_id, target, fold and score. The holdout is scored by all models, whose logits are
averaged; each out-of-fold lesion by the model that did not see it. Where DASK_SCHEDULER_ADDRESS
is set, the workers of that cluster score.
"""

import sys
from functools import partial
from pathlib import Path

from skinlesion import command, params
from skinlesion.dataset import challenge, metadata, partition
from skinlesion.features import shift
from skinlesion.network import backend, trained
from skinlesion.scoring import engine, executor, lesions, predict, test_set, training_set


def main(models: Path, folder: challenge.Files, *, folds: Path, out: Path) -> None:
    keras = params.load("keras", backend.Params)
    backend.start(keras)
    p = params.load("predict", predict.Params)
    expected = params.load("split", partition.Params).train_folds
    by_fold = trained.load_folds(models, expected=expected)
    sys.stderr.write(shift.said(folder.test_metadata, [m.encoder for m in by_fold.values()]))
    plan = executor.Plan(models, tuple(by_fold), keras, partial(engine.prepared, name=p.engine))
    with executor.opened(plan, by_fold) as run_on:
        test = lesions.Source(folder.test_metadata, run_on(folder.test_images))
        train = lesions.Source(folder.train_metadata, run_on(folder.train_images))
        isic_ids = test_set.isic_ids(test.metadata)
        pieces = predict.score(by_fold, test, p, lesions.Selection("test", len(isic_ids)))
        scored = test_set.joined(pieces, isic_ids)
        print(test_set.summary(scored, n_models=len(by_fold)))
        holdout, oof = training_set.score(by_fold, metadata.read(folds), train, p)
    out.mkdir(parents=True, exist_ok=True)
    test_set.write(scored, out)
    holdout.to_csv(out / "holdout.csv", index=False)
    oof.to_csv(out / "oof.csv", index=False)


if __name__ == "__main__":
    command.run(main)
