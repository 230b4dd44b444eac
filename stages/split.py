"""Stage `split`: divide patients between the holdout and the folds.

Reads isic_id, patient_id and target; adds the fold. Everything downstream takes its rows from
the file that it writes, so leakage can only start here.
"""

from pathlib import Path

from skinlesion import command, params
from skinlesion.dataset import metadata, partition
from skinlesion.preparation import split


def main(lesions_csv: Path, folds_csv: Path) -> None:
    p = params.load("split", partition.Params)
    lesions = metadata.read(lesions_csv)
    folds = split.by_patient(
        lesions, n_folds=p.n_folds, holdout_fraction=p.holdout_fraction, seed=p.seed
    )
    folds_csv.parent.mkdir(parents=True, exist_ok=True)
    folds.to_csv(folds_csv, index=False)
    print(split.summary(folds))


if __name__ == "__main__":
    command.run(main)
