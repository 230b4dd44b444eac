"""Stage `resample`: plan which training lesions each epoch of a fold sees, and their weights.

Writes epoch, isic_id and weight; and how far the plan moves a model's logit.
"""

import json
from pathlib import Path

from skinlesion import command, params
from skinlesion.dataset import metadata, partition
from skinlesion.preparation import resample


def main(fold: int, folds_csv: Path, draws_csv: Path, prior_json: Path) -> None:
    p = params.load("resample", resample.Params)
    lesions = partition.training_rows(metadata.read(folds_csv), validation_fold=fold)
    draws = resample.draw(lesions, p)
    draws_csv.parent.mkdir(parents=True, exist_ok=True)
    draws.to_csv(draws_csv, index=False)
    shift = resample.prior_shift(lesions, draws)
    prior_json.write_text(json.dumps({"prior_shift": shift}) + "\n")
    print(f"fold {fold}: {resample.summary(lesions, draws)}; the logit moves by {shift:+.2f}")


if __name__ == "__main__":
    command.run(main)
