"""Stage `split`: share patients out between the holdout and the folds.

    python stages/split.py LESIONS_CSV FOLDS_CSV

Reads isic_id, patient_id and target; adds the fold. Everything downstream takes its rows from
FOLDS_CSV, so leakage can only start here.
"""

import sys
from pathlib import Path

from skinlesion import errors, metadata, params, split


def main(lesions_csv: Path, folds_csv: Path) -> None:
    p = params.load("split", split.Params)
    lesions = metadata.read(lesions_csv)
    folds = split.by_patient(
        lesions, n_folds=p.n_folds, holdout_fraction=p.holdout_fraction, seed=p.seed
    )
    folds_csv.parent.mkdir(parents=True, exist_ok=True)
    folds.to_csv(folds_csv, index=False)
    print(split.summary(folds))


if __name__ == "__main__":
    errors.run(main, *map(Path, sys.argv[1:]))
