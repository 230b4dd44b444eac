"""Stage `calibrate`: combine the members' scores into one probability, by out-of-fold lesions.

With one member the order of the lesions stays. Out-of-fold patients do not decide on themselves:
each part of them is combined and calibrated by the others. Writes submission.csv, holdout.csv,
oof.csv, combination.json and calibration.json.
"""

from pathlib import Path

from skinlesion import command, params
from skinlesion.evaluation import calibration, combination


def main(predictions: Path, calibrated: Path) -> None:
    p = params.load("calibrate", combination.Params)
    scored = combination.join(predictions)
    members = combination.present(scored["oof"], p)
    combined = combination.fit(scored["oof"], members, p)
    oof = combination.apply_nested(scored["oof"], members, p)
    holdout, submission = (
        combination.apply(scored[k], combined) for k in ("holdout", "submission")
    )
    calibrator = calibration.fit(scored["oof"].assign(score=combined.score(scored["oof"])), p)
    holdout["probability"] = calibrator.probability(holdout["score"])
    submission["target"] = calibrator.probability(submission["score"])

    calibrated.mkdir(parents=True, exist_ok=True)
    submission[["isic_id", "target"]].to_csv(calibrated / "submission.csv", index=False)
    holdout.to_csv(calibrated / "holdout.csv", index=False)
    oof.to_csv(calibrated / "oof.csv", index=False)
    combination.save(calibrated / "combination.json", combined)
    (calibrated / "calibration.json").write_text(calibrator.model_dump_json(indent=1) + "\n")
    print(f"{combination.summary(combined)}; {calibration.summary(calibrator)}")


if __name__ == "__main__":
    command.run(main)
