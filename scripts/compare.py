"""Compare two runs: the paired difference of their pAUC and AUC, resampled over patients.

    python scripts/compare.py FIRST SECOND [SCORES_CSV]

FIRST and SECOND are experiments, branches, tags, commits, or files of scores. SCORES_CSV is where
a run keeps them: predictions/holdout.csv unless given, or predictions/oof.csv.
"""

import sys
from pathlib import Path

from skinlesion import bootstrap, comparison, errors, params


def main(first: str, second: str, scores_csv: str = "predictions/holdout.csv") -> None:
    sampling = params.load("measure", bootstrap.Params)
    one, other = (comparison.read(source, Path(scores_csv)) for source in (first, second))
    found = comparison.paired(one, other, sampling)
    print(comparison.summary(one, found, first=first, second=second))


if __name__ == "__main__":
    errors.run(main, *sys.argv[1:])
