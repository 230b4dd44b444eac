"""Stage `split`: divide patients between the holdout and the folds.

Reads isic_id, patient_id and target; adds the fold, of a patient or of its clinic. Everything
downstream takes its rows from the file that it writes, so leakage can only start here.
"""

from pathlib import Path

from skinlesion import command, params
from skinlesion.dataset import fold_names, metadata, partition
from skinlesion.preparation import sides


def main(lesions_csv: Path, folds_csv: Path, names_json: Path, *, train_metadata: Path) -> None:
    p = params.load("split", partition.Params)
    lesions = metadata.read(lesions_csv)
    folds, names = sides.divide(lesions, p, train_metadata)
    folds_csv.parent.mkdir(parents=True, exist_ok=True)
    folds.to_csv(folds_csv, index=False)
    fold_names.save(names_json, names)
    print(sides.summary(folds, names, p))


if __name__ == "__main__":
    command.run(main)
