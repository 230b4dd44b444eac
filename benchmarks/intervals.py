"""How long intervals take at the size of the real challenge, against resampling the plain way.

    python benchmarks/intervals.py [N_LESIONS]

Draws lesions and scores with the numbers of SLICE-3D: 1,042 patients, about one cancer in 1,000
lesions. The plain way writes out the lesions of a resample and sorts them again; it is timed on
five resamples. Ratios within one run are the result, seconds a remark.
"""

import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.special import expit

from skinlesion import metrics
from skinlesion.evaluation import bootstrap, calibration, measurement, ranking

N_PATIENTS, PREVALENCE = 1042, 393 / 401_059
SAMPLING = bootstrap.Params(min_tpr=0.8, n_resamples=1000, confidence=0.95, seed=5)
EVALUATE = measurement.Params(
    n_bins=10,
    n_curve_points=500,
    specificities=[0.9, 0.95],
    sensitivities=[0.8, 0.9, 0.95],
    top_k=15,
    baseline="clin_size_long_diam_mm",
    cost_ratio=20,
    min_positives=10,
    patient_folds=None,
)


def lesions(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    share = rng.lognormal(0, 1.2, N_PATIENTS)
    target = (rng.random(n) < PREVALENCE).astype(int)
    logit = rng.normal(-8.5 + 2.5 * target, 1.5)
    return pd.DataFrame(
        {
            "isic_id": [f"ISIC_{i:07d}" for i in range(n)],
            "patient_id": rng.choice(N_PATIENTS, n, p=share / share.sum()).astype(str),
            "target": target,
            "score": expit(logit),
            "probability": expit(logit),
            "clin_size_long_diam_mm": rng.gamma(4 + target, 1, n),
            "sex": rng.choice(["female", "male", None], n, p=[0.4, 0.57, 0.03]),
            "age_approx": rng.choice(np.arange(20.0, 90, 5), n),
            "anatom_site_general": rng.choice([f"site {i}" for i in range(5)], n),
            "tbp_tile_type": rng.choice(["3D: XP", "3D: white"], n),
            "attribution": rng.choice([f"clinic {i}" for i in range(7)], n),
            "tbp_lv_Lext": rng.normal(60, 12, n),
            "tbp_lv_Bext": rng.normal(20, 4, n),
        }
    )


def seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def ranked_once(table: pd.DataFrame) -> None:
    ranked = ranking.rank(table, table["score"], bootstrap.draw(table, SAMPLING))
    ranked.each(lambda roc: roc.partial_auc(0.8))
    ranked.each(ranking.Roc.auc)


def plainly(table: pd.DataFrame, resamples: bootstrap.Resamples, row: int) -> None:
    times = resamples.counts[row][resamples.codes(table)]
    rows = np.repeat(np.arange(len(table)), times)
    y_true, y_score = table["target"].to_numpy()[rows], table["score"].to_numpy()[rows]
    metrics.partial_auc(y_true, y_score)
    metrics.auc(y_true, y_score)


def main(n: int) -> None:
    table = lesions(n)
    resamples = bootstrap.draw(table, SAMPLING)
    once = seconds(lambda: ranked_once(table)) / SAMPLING.n_resamples
    plain = float(np.median([seconds(lambda i=i: plainly(table, resamples, i)) for i in range(5)]))
    identity = calibration.Calibrator(
        method="none", reason="", slope=1, intercept=0, n_lesions=n, n_positives=1
    )
    sets = {"holdout": table, "oof": table}
    whole = seconds(lambda: measurement.evaluate(sets, identity, EVALUATE, SAMPLING))
    print(f"{n:,} lesions of {N_PATIENTS:,} patients, {table['target'].sum():,} positives")
    print(f"pAUC and AUC, 1,000 resamples, ranked once   {1000 * once:8.1f} s")
    print(f"the plain way, from 5 resamples              {1000 * plain:8.1f} s")
    print(f"ratio                                        {plain / once:8.0f}")
    print(f"everything that is evaluated, on two such sets {whole:6.1f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 401_059)
