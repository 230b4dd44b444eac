"""Stage `predict`: score the test set, the holdout and the out-of-fold lesions.

Writes submission.csv and unreadable.csv of the test set; holdout.csv and oof.csv: isic_id,
patient_id, target, fold and score. The holdout is scored by all models, whose logits are
averaged; each out-of-fold lesion by the model that did not see it.
"""

import sys
from pathlib import Path

from skinlesion import command, params
from skinlesion.dataset import challenge, metadata, partition, stores
from skinlesion.features import shift
from skinlesion.network import backend, trained
from skinlesion.scoring import engine, predict


def main(models: Path, folder: challenge.Files, *, folds: Path, out: Path) -> None:
    backend.start(params.load("keras", backend.Params))
    p = params.load("predict", predict.Params)
    expected = params.load("split", partition.Params).train_folds
    by_fold = engine.prepared(trained.load_folds(models, expected=expected), p.engine)
    everyone = list(by_fold.values())
    test = predict.Source(folder.test_metadata, stores.open_store(folder.test_images))
    isic_ids = predict.isic_ids(folder.test_metadata)
    sys.stderr.write(shift.said(folder.test_metadata, [m.encoder for m in everyone]))
    pieces = predict.score(everyone, test, p, predict.Selection("test", len(isic_ids)))
    out.mkdir(parents=True, exist_ok=True)
    counts = predict.write_test_set(pieces, isic_ids, out)
    print(predict.summary(counts, n_models=len(everyone)))

    train = predict.Source(folder.train_metadata, stores.open_store(folder.train_images))
    holdout, oof = predict.score_learnt_from(by_fold, metadata.read(folds), train, p)
    holdout.to_csv(out / "holdout.csv", index=False)
    oof.to_csv(out / "oof.csv", index=False)


if __name__ == "__main__":
    command.run(main)
