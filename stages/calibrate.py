"""Stage `calibrate`: combine the members into one probability, by out-of-fold lesions.

With one member the order of the lesions stays. Out-of-fold patients do not decide on themselves:
each part of them is combined and calibrated by the others. Writes submission.csv, test.csv,
holdout.csv, oof.csv, combination.json and calibration.json. Beside its probability a lesion has
its uncertainty, how far the logits of its models are apart, and in what it lies far outside the
training data.
"""

from pathlib import Path

from skinlesion import command, params
from skinlesion.evaluation import calibration, combination, score_tables, stacking


def main(predictions: Path, calibrated: Path, *, shift: Path) -> None:
    p = params.load("calibrate", stacking.Params)
    scored = score_tables.join(predictions)
    members = stacking.present(scored["oof"], p)
    combined = stacking.fit(scored["oof"], members, p)
    oof = score_tables.apply_nested(scored["oof"], members, p)
    holdout, test = (score_tables.apply(scored[k], combined) for k in ("holdout", "submission"))
    calibrator = calibration.fit(scored["oof"].assign(score=combined.score(scored["oof"])), p)
    for table in (holdout, test):
        table["probability"] = calibrator.probability(table["score"])

    calibrated.mkdir(parents=True, exist_ok=True)
    submission = test[["isic_id", "probability"]].rename(columns={"probability": "target"})
    submission.to_csv(calibrated / "submission.csv", index=False)
    for name, table in {
        "test": test.drop(columns="target"),
        "holdout": holdout,
        "oof": oof,
    }.items():
        marked = score_tables.marked(table, shift / f"{name}.csv")
        marked.to_csv(calibrated / f"{name}.csv", index=False)
    combination.save(calibrated / "combination.json", combined)
    calibration.save(calibrated / "calibration.json", calibrator)
    print(f"{combination.summary(combined)}; {calibration.summary(calibrator)}")


if __name__ == "__main__":
    command.run(main)
