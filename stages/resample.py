"""Stage `resample`: plan which training lesions each epoch of a fold sees, and their weights.

    python stages/resample.py FOLD FOLDS_CSV DRAWS_CSV PRIOR_JSON

Writes epoch, isic_id and weight; and how far the plan moves a model's logit.
"""

import json
import sys
from pathlib import Path

from skinlesion import errors, metadata, params, resample, split


def main(fold: str, folds_csv: Path, draws_csv: Path, prior_json: Path) -> None:
    p = params.load("resample", resample.Params)
    lesions = split.training_rows(metadata.read(folds_csv), validation_fold=int(fold))
    draws = resample.draw(lesions, p)
    draws_csv.parent.mkdir(parents=True, exist_ok=True)
    draws.to_csv(draws_csv, index=False)
    shift = resample.prior_shift(lesions, draws)
    prior_json.write_text(json.dumps({"prior_shift": shift}) + "\n")
    print(f"fold {fold}: {resample.summary(lesions, draws)}; the logit moves by {shift:+.2f}")


if __name__ == "__main__":
    errors.run(main, *sys.argv[1:2], *map(Path, sys.argv[2:]))
