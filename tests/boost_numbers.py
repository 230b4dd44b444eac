"""Numbers of drawn lesions, as stage derive writes them, for the tests of the table expert."""

from pathlib import Path

import numpy as np
import pandas as pd

from skinlesion.boosting import fitting
from skinlesion.derivation import numbers, parquet, plan

SMALL = {
    "inputs": ["table", "tile"],
    "positive_share": 0.003,
    "negatives_per_positive": 100,
    "scale_pos_weight": 2.0,
    "n_seeds": 2,
    "n_rounds": 12,
    "n_inner_folds": None,
    "learning_rate": 0.2,
    "max_depth": 3,
    "n_leaves": 6,
    "min_leaf": 10,
    "l1": 0.0,
    "l2": 0.1,
    "column_share": 0.9,
    "column_share_by_node": 0.9,
    "row_share": 0.8,
    "row_share_every": 1,
    "n_threads": 1,
    "min_pauc": 0.0,
    "seed": 0,
}


def params(**changes) -> fitting.Params:
    return fitting.Params(**SMALL | changes)


def write(folder: Path, *, seed: int = 0, n: int = 600, of_one: bool = False) -> pd.DataFrame:
    """Write train.parquet, plan.json and folds.csv; the number H says who is ill, within patients.

    Returns the folds, one row per lesion.
    """
    rng = np.random.default_rng(seed)
    patient = np.arange(n) if of_one else rng.integers(0, 40, n)
    target = rng.random(n) < 0.15
    level = np.random.default_rng(1).normal(0, 3, n)[patient]
    table = pd.DataFrame(
        {
            "isic_id": [f"ISIC_{i:07d}" for i in rng.permutation(n)],
            "patient_id": [f"IP_{i}" for i in patient],
            "sex": np.where(
                target & (rng.random(n) < 0.5), "male", rng.choice(["female", None], n)
            ),
            "tbp_lv_H": level + 2.0 * target + rng.normal(0, 1, n),
            "tbp_lv_L": rng.normal(0, 1, n),
        }
    )
    p = plan.Params(
        base=["tbp_lv_H", "tbp_lv_L"],
        derived=[],
        tile=[],
        categorical=["sex"],
        relative=plan.Relative(patient=["z", "count"], patient_site=[], patient_location=[]),
        min_lesions=3,
    )
    chosen = plan.make(p, table, table)
    folder.mkdir(parents=True, exist_ok=True)
    parquet.write(folder / "train.parquet", table, numbers.compute(table, chosen, p), chosen)
    (folder / "plan.json").write_text(chosen.model_dump_json())
    folds = table[["isic_id", "patient_id"]].assign(target=target.astype(int), fold=patient % 4 - 1)
    folds.to_csv(folder / "folds.csv", index=False)
    return folds
