"""Stage `boost`: fit one fold's table expert, gradient boosting on the numbers of `derive`.

Neither the holdout nor the fold left out is learnt from. Writes LightGBM's text files and
facts.json; each round is logged through dvclive. What ranks no better than it should by chance is
refused: see boost.min_pauc.
"""

from pathlib import Path

from skinlesion import command, params
from skinlesion.boosting import baseline, expert, fitting, logger
from skinlesion.boosting import fold as folds


def main(fold: int, folds_csv: Path, features: Path, model: Path, log: Path) -> None:
    p = params.load("boost", fitting.Params)
    result = folds.fit(fold, folds_csv, features, p)
    expert.save(model, result.facts, result.fitted)
    baseline.save(model, baseline.fit(fold, folds_csv, features))
    logger.write(log, result.log)
    print(folds.summary(fold, result, p))


if __name__ == "__main__":
    command.run(main)
