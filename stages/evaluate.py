"""Stage `evaluate`: measure the scores of the holdout and of the out-of-fold lesions.

Writes the few figures that `dvc exp show` displays; all of them in detail, with intervals; and
the curves.
"""

from pathlib import Path

from skinlesion import command, params
from skinlesion.dataset import metadata
from skinlesion.evaluation import bootstrap, calibration, measurement, output


def main(calibrated: Path, files: output.Files, *, unreadable: Path, train_metadata: Path) -> None:
    p = params.load("evaluate", measurement.Params)
    sampling = params.load("measure", bootstrap.Params)
    wanted = measurement.columns(metadata.header(train_metadata), p)
    lesions = metadata.read(train_metadata, columns=wanted)
    sets = {
        name: measurement.joined(metadata.read(calibrated / f"{name}.csv"), lesions)
        for name in ("holdout", "oof")
    }
    calibrator = calibration.load(calibrated / "calibration.json")
    details, curves = measurement.evaluate(sets, calibrator, p, sampling)
    details["test"] = {"n_unreadable": len(metadata.read(unreadable))}
    output.write(files, details, curves)
    print(measurement.summary(details))


if __name__ == "__main__":
    command.run(main)
