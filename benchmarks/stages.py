"""What each stage between data and network takes, at the size of the real challenge and below.

    python benchmarks/stages.py [tiny|usual|large]

The stage scripts themselves, each in a process of its own with its start-up: seconds and peak
memory as the table grows from 4,000 to 40,000 and 401,059 lesions of 1,042 patients; then with
a patient for every lesion, as where a table names none. The scores that `calibrate` and
`evaluate` read are drawn; 128 tiles lie in the HDF5 file under all isic_ids.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import drawn
import harness
import numpy as np
import pandas as pd
import results
from scipy.special import expit

# lesions, and whether each is a patient's only one
TABLES = {
    "tiny": [(400, True)],
    "usual": [(4000, False), (40_000, False)],
    "large": [(4000, False), (40_000, False), (drawn.N_LESIONS, False), (drawn.N_LESIONS, True)],
}
# What the real challenge may take on two cores, whoever its patients are; 3,000 tiles a second.
MAX_SECONDS = {"check": 134, "split": 30, "resample": 10, "encode": 30, "evaluate": 120}
MAX_MIB = 2048
MIN_SECONDS = 0.3  # of growth; less is noise of the start-up
TRAIN, TRAIN_TILES = "train-metadata.csv", "train-image.hdf5"
# In the order of the pipeline; as in dvc.yaml, but in one folder.
COMMANDS = {
    "check": [
        *("--train-metadata", TRAIN, "--train-images", TRAIN_TILES),
        *("--test-metadata", "test-metadata.csv", "--test-images", "test-image.hdf5"),
        *("--lesions", "lesions.csv", "--counts", "data.json"),
    ],
    "derive": [
        *("--train-metadata", TRAIN, "--train-images", TRAIN_TILES),
        *("--test-metadata", "test-metadata.csv", "--test-images", "test-image.hdf5"),
        *("--lesions", "lesions.csv", "--out", "features"),
    ],
    "split": ["lesions.csv", "folds.csv", "folds.json", "--train-metadata", TRAIN],
    "resample": ["0", "folds.csv", "draws.csv", "prior.json"],
    "encode": ["0", "folds.csv", "encoded", "--train-metadata", TRAIN],
    "boost": ["0", "folds.csv", "features", "expert", "boost-log"],
    "calibrate": ["predictions", "calibrated", "--shift", "shift"],
    "evaluate": [
        *("calibrated", "--unreadable", "predictions/unreadable.csv", "--train-metadata", TRAIN),
        *("--folds", "folds.json"),
        *("--evaluation", "e.json", "--details", "details.json", "--plots", "plots"),
    ],
}


def predictions(folder: str) -> None:
    rng, out = np.random.default_rng(0), Path(folder) / "predictions"
    folds = pd.read_csv(out.parent / "folds.csv")
    folds["score"] = expit(rng.normal(-8.5 + 2.5 * folds["target"], 1.5))
    out.mkdir()
    (out.parent / "shift").mkdir()
    folds[folds["fold"] < 0].to_csv(out / "holdout.csv", index=False)
    folds[folds["fold"] >= 0].to_csv(out / "oof.csv", index=False)
    test = folds[["isic_id", "score"]].rename(columns={"score": "target"})
    test.to_csv(out / "submission.csv", index=False)
    (out / "unreadable.csv").write_text("isic_id,reason\n")
    for name, of in (("holdout", "holdout"), ("oof", "oof"), ("submission", "test")):
        table = pd.read_csv(out / f"{name}.csv")
        scores = dict.fromkeys(("table", "table_alone", "colour"), table.iloc[:, -1])
        scores["table_sd_seeds"] = rng.gamma(4, 0.1, len(table))
        table[["isic_id"]].assign(**scores).to_csv(out / f"table-{of}.csv", index=False)
        (out / f"network-{of}.csv").write_text("isic_id\n")
        marks = table[["isic_id"]].assign(image_distance=1.0, shift="")
        marks.to_csv(out.parent / "shift" / f"{of}.csv", index=False)


def part(folder: str) -> None:
    """Make each lesion its patient's only one."""
    path = Path(folder) / TRAIN
    lesions = pd.read_csv(path, low_memory=False)
    lesions.assign(patient_id=lesions["isic_id"]).to_csv(path, index=False)


def chain(folder: Path, n_lesions: int, alone: bool) -> list[dict[str, Any]]:
    drawn.folder(folder, n_lesions=n_lesions)
    if alone:
        harness.apart(part, str(folder))
    patients = n_lesions if alone else min(drawn.N_PATIENTS, n_lesions // 4)
    rows = []
    for stage, arguments in COMMANDS.items():
        if stage == "calibrate":
            harness.apart(predictions, str(folder))
        script = harness.ROOT / "stages" / f"{stage}.py"
        took = harness.spent([sys.executable, str(script), *arguments], cwd=folder)
        rows.append({"stage": stage, "lesions": n_lesions, "patients": patients} | took.row)
    if len(json.loads((folder / "details.json").read_text())["sets"]) != 2:
        raise RuntimeError("evaluate must have measured the holdout and the out-of-fold lesions.")
    return rows


def growth(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Lesions per second of processor beyond the smallest table, so without the start-up."""
    found = []
    for stage in COMMANDS:
        first, *more = [
            row for row in rows if row["stage"] == stage and row["patients"] < row["lesions"]
        ]
        for row in more:
            n, s = (row[key] - first[key] for key in ("lesions", "cpu_seconds"))
            rate = n / s if s > MIN_SECONDS else "too many to tell"
            found.append({"stage": stage, "up_to": row["lesions"], "lesions_per_cpu_s": rate})
    return found


def reach(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the real challenge takes against what it may take."""
    found = []
    for row in rows:
        if row["lesions"] == drawn.N_LESIONS and row["stage"] in MAX_SECONDS:
            limit = MAX_SECONDS[row["stage"]]
            is_met = row["seconds"] <= limit and row["peak_mib"] <= MAX_MIB
            limits = {"max_seconds": limit, "max_mib": MAX_MIB, "met": "yes" if is_met else "no"}
            found.append({key: row[key] for key in row if key != "cpu_seconds"} | limits)
    return found


def main(size: str) -> None:
    rows: list[dict[str, Any]] = []
    for n_lesions, alone in TABLES[size]:
        with tempfile.TemporaryDirectory() as scratch:
            rows += chain(Path(scratch), n_lesions, alone)
    rows.sort(key=lambda row: list(COMMANDS).index(row["stage"]))
    results.report("stages", rows)
    if size != "tiny":
        results.report("stages: growth", growth(rows))
    if size == "large":
        results.report("stages: reach", reach(rows))


if __name__ == "__main__":
    main(harness.size(sys.argv[1:]))
