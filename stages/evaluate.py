"""Stage `evaluate`: measure the scores of the holdout and of the out-of-fold lesions.

    python stages/evaluate.py CALIBRATED UNREADABLE_CSV TRAIN_METADATA_CSV \
        EVALUATION_JSON DETAILS_JSON PLOTS_FOLDER

EVALUATION_JSON holds the few figures that `dvc exp show` displays; DETAILS_JSON all of them, with
intervals; PLOTS_FOLDER the curves.
"""

import json
import sys
from pathlib import Path

from skinlesion import bootstrap, calibration, errors, evaluation, metadata, params


def main(
    calibrated: Path,
    unreadable_csv: Path,
    train_metadata_csv: Path,
    evaluation_json: Path,
    details_json: Path,
    plots: Path,
) -> None:
    p = params.load("evaluate", evaluation.Params)
    sampling = params.load("measure", bootstrap.Params)
    wanted = evaluation.columns(metadata.header(train_metadata_csv), p)
    lesions = metadata.read(train_metadata_csv, columns=wanted)
    sets = {
        name: evaluation.joined(metadata.read(calibrated / f"{name}.csv"), lesions)
        for name in ("holdout", "oof")
    }
    calibrator = calibration.load(calibrated / "calibration.json")
    details, curves = evaluation.evaluate(sets, calibrator, p, sampling)
    details["test"] = {"n_unreadable": len(metadata.read(unreadable_csv))}

    plots.mkdir(parents=True, exist_ok=True)
    for path, found in ((evaluation_json, evaluation.headline(details)), (details_json, details)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=1, allow_nan=False) + "\n")
    for name, tables in curves.items():
        for curve, points in tables.items():
            points.to_csv(plots / f"{name}_{curve}.csv", index=False, float_format="%.6g")
    print(evaluation.summary(details))


if __name__ == "__main__":
    errors.run(main, *map(Path, sys.argv[1:]))
