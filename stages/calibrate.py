"""Stage `calibrate`: turn scores into probabilities, by what out-of-fold lesions show.

The order of the lesions stays. Out-of-fold patients do not calibrate themselves: each part of
them is calibrated by the others. Writes submission.csv, holdout.csv, oof.csv and
calibration.json.
"""

from pathlib import Path

from skinlesion import command, params
from skinlesion.dataset import metadata
from skinlesion.evaluation import calibration


def main(predictions: Path, calibrated: Path) -> None:
    p = params.load("calibrate", calibration.Params)
    submission, holdout, oof = (
        metadata.read(predictions / f"{name}.csv") for name in ("submission", "holdout", "oof")
    )
    calibrator = calibration.fit(oof, p)
    submission["target"] = calibrator.probability(submission["target"])
    holdout["probability"] = calibrator.probability(holdout["score"])
    oof["probability"] = calibration.nested(oof, p)

    calibrated.mkdir(parents=True, exist_ok=True)
    submission.to_csv(calibrated / "submission.csv", index=False)
    holdout.to_csv(calibrated / "holdout.csv", index=False)
    oof.to_csv(calibrated / "oof.csv", index=False)
    (calibrated / "calibration.json").write_text(calibrator.model_dump_json(indent=1) + "\n")
    print(calibration.summary(calibrator))


if __name__ == "__main__":
    command.run(main)
