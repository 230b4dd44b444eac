"""Stage `shift`: compare the test set and the holdout with what the models were trained on.

Writes profile.json, small summaries of the training lesions; test.csv, holdout.csv and oof.csv,
which say of each lesion whether and in what it lies far outside them; and the comparison.
"""

import sys
from pathlib import Path

from skinlesion import command, params
from skinlesion.dataset import challenge, partition
from skinlesion.features import tabular
from skinlesion.shift import comparison, profile, set_comparison, sets


def main(
    predictions: Path, folder: challenge.Files, given: sets.Files, *, out: Path, compared: Path
) -> None:
    p = params.load("encode", tabular.Params)
    expected = params.load("split", partition.Params).train_folds
    columns = p.numeric, p.categorical
    read = sets.read(predictions, folder, given, columns, expected)
    known = sets.learn(read)
    out.mkdir(parents=True, exist_ok=True)
    profile.save(out / sets.PROFILE, known)
    found = set_comparison.compare(read, known, out)
    set_comparison.write(compared, known, found)
    sys.stderr.write(comparison.warning("test-metadata.csv", found["test"]))
    print(set_comparison.summary(found))


if __name__ == "__main__":
    command.run(main)
