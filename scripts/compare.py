"""Compare two runs: the paired difference of their pAUC and AUC, resampled over patients.

    python scripts/compare.py FIRST SECOND [--scores predictions/oof.csv]

FIRST and SECOND are experiments, branches, tags, commits, or files of scores. To choose among runs,
compare out-of-fold scores; the holdout is for the one that was chosen.
"""

import argparse
from pathlib import Path

from skinlesion import errors, params
from skinlesion.evaluation import bootstrap, comparison


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare two runs, patients resampled in pairs.")
    parser.add_argument("first", help="an experiment, branch, tag, commit or file of scores")
    parser.add_argument("second", help="the same; higher is better than the first")
    parser.add_argument(
        "--scores",
        type=Path,
        default=Path("predictions/holdout.csv"),
        help="where a run keeps them (default: %(default)s; to choose: predictions/oof.csv)",
    )
    given = parser.parse_args()
    sampling = params.load("measure", bootstrap.Params)
    one, other = (comparison.read(run, given.scores) for run in (given.first, given.second))
    found = comparison.paired(one, other, sampling)
    print(comparison.summary(one, found, first=given.first, second=given.second))


if __name__ == "__main__":
    errors.run(main)
