"""What stage `boost` takes, up to the size of the real challenge, against LightGBM's fits alone.

    python benchmarks/boosting.py [tiny|usual|large]

The stage itself, in a process of its own, on drawn numbers of the names that `derive` gives by
default: seconds and peak memory. `of_fits` is its processor time, divided by that of bare fits of
as many models, rounds, lesions and numbers: what the start, reading and measuring add to them.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import drawn
import harness
import numpy as np
import pandas as pd
import results
from ruamel.yaml import YAML

SIZES = {"tiny": [600], "usual": [4000, 40_000], "large": [4000, 40_000, drawn.N_LESIONS]}
QUICK = {"n_rounds": 3, "n_seeds": 2, "min_pauc": 0.0}  # of the tiny size
MAX_SECONDS, MAX_MIB = 120, 2048  # at the size of the real challenge, on two free processors
N_FOLDS = 5
SIGNAL = 10  # every so many numbers tell something


def draw(folder: str, n_lesions: int, quick: bool) -> None:
    """Write params.yaml, folds.csv and what `derive` writes of training lesions."""
    from skinlesion import params
    from skinlesion.derivation import numbers, parquet, plan

    path, rng, yaml = Path(folder), np.random.default_rng(0), YAML()
    given = yaml.load(harness.ROOT / "params.yaml")
    given["boost"].update(QUICK if quick else {})
    yaml.dump(given, path / "params.yaml")
    p = params.load("derive", plan.Params, path / "params.yaml")
    whole = pd.DataFrame({name: [1.0] for name in numbers.columns(p)})
    chosen = plan.make(p, whole, whole)
    (path / "plan.json").write_text(chosen.model_dump_json())
    share = drawn.N_MALIGNANT / drawn.N_LESIONS
    target = rng.random(n_lesions) < max(share, drawn.MIN_MALIGNANT / n_lesions)
    patients = rng.integers(0, min(drawn.N_PATIENTS, n_lesions // 4), n_lesions)
    found = {
        name: (rng.normal(0, 1, n_lesions) + target * (i % SIGNAL == 0)).astype(np.float32)
        for i, name in enumerate([*chosen.numbers, *chosen.relative])
    }
    isic_ids = [f"ISIC_{i:07d}" for i in rng.permutation(n_lesions)]
    table = pd.DataFrame({"isic_id": isic_ids, "patient_id": [f"IP_{i}" for i in patients]})
    kinds = {name: rng.choice(["a", "b", "c"], n_lesions) for name in chosen.categorical}
    parquet.write(path / "train.parquet", table.assign(**kinds), found, chosen)
    folds = {"target": target.astype(int), "fold": patients % N_FOLDS}
    table.assign(**folds).to_csv(path / "folds.csv", index=False)


def fits(folder: str) -> int:
    """Fit models as the stage does, to noise, and do nothing else; say how many."""
    import lightgbm as lgb

    from skinlesion import params
    from skinlesion.boosting import columns, fitting
    from skinlesion.derivation import plan

    p = params.load("boost", fitting.Params, Path(folder) / "params.yaml")
    folds, rng = pd.read_csv(Path(folder) / "folds.csv"), np.random.default_rng(0)
    rows = fitting._drawn(folds.loc[folds["fold"] > 0, "target"].to_numpy(), p, 0)
    chosen = columns.choose(plan.load(Path(folder)), p.inputs)
    widths = [chosen.n_alone, len(chosen.names)]
    for width in widths:
        values, y_true = rng.normal(0, 1, (len(rows), width)), rng.random(len(rows)) < 0.01
        for seed in range(p.n_seeds):
            train = lgb.Dataset(values.astype(np.float32), y_true)
            lgb.train(fitting._settings(p, seed), train, p.n_rounds)
    return len(widths) * p.n_seeds


def of(folder: str, n_lesions: int, quick: bool) -> dict[str, Any]:
    harness.apart(draw, folder, n_lesions, quick)
    stage = [sys.executable, str(harness.ROOT / "stages" / "boost.py")]
    took = harness.spent([*stage, "0", "folds.csv", ".", "expert", "log"], cwd=Path(folder))
    n_models, bare = harness.apart(fits, folder)
    of_fits = {"of_fits": took.cpu_seconds / bare.cpu_seconds}
    return {"lesions": n_lesions, "models": n_models} | took.row | of_fits


def reach(row: dict[str, Any]) -> dict[str, Any]:
    """What the real challenge takes against what it may take."""
    is_met = row["seconds"] <= MAX_SECONDS and row["peak_mib"] <= MAX_MIB
    limits = {"max_seconds": MAX_SECONDS, "max_mib": MAX_MIB, "met": "yes" if is_met else "no"}
    return {key: row[key] for key in ("lesions", "seconds", "peak_mib")} | limits


def main(size: str) -> None:
    rows = []
    for n_lesions in SIZES[size]:
        with tempfile.TemporaryDirectory() as folder:
            rows.append(of(folder, n_lesions, size == "tiny"))
    results.report("boosting", rows)
    if size == "large":
        results.report("boosting: reach", [reach(rows[-1])])


if __name__ == "__main__":
    main(harness.size(sys.argv[1:]))
