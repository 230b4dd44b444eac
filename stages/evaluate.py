"""Stage `evaluate`: measure the scores of the holdout and of the out-of-fold lesions.

Writes the few figures that `dvc exp show` displays; all of them in detail, with intervals; and
the curves.
"""

from pathlib import Path

from skinlesion import command, params
from skinlesion.dataset import fold_names, metadata
from skinlesion.evaluation import (
    bootstrap,
    calibration,
    clinics,
    headline,
    measurement,
    output,
    stacking,
)


def main(
    calibrated: Path, files: output.Files, *, folds: Path, unreadable: Path, train_metadata: Path
) -> None:
    p = params.load("evaluate", measurement.Params)
    sampling = params.load("measure", bootstrap.Params)
    blocks = clinics.Blocks(p, sampling, params.load("calibrate", stacking.Params))
    wanted = measurement.columns(metadata.header(train_metadata), p)
    lesions = metadata.read(train_metadata, columns=wanted)
    sets = {
        name: measurement.joined(metadata.read(calibrated / f"{name}.csv"), lesions)
        for name in ("holdout", "oof")
    }
    calibrator = calibration.load(calibrated / "calibration.json")
    details, curves = measurement.evaluate(sets, calibrator, p, sampling)
    names = fold_names.load(folds)
    other = clinics.other_run(names, p, calibrated / "oof.csv")
    details["clinics"] = clinics.measures(sets["oof"], names, blocks, other)
    details["test"] = {"n_unreadable": len(metadata.read(unreadable))}
    output.write(files, details, curves)
    print(headline.text(details))


if __name__ == "__main__":
    command.run(main)
