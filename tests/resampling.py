"""Lesions of patients to resample, and the plain way to compute what bootstrap computes."""

import numpy as np
import pandas as pd

from skinlesion.evaluation import bootstrap


def lesions(seed: int, *, n: int = 300, n_patients: int = 40, levels: int = 60) -> pd.DataFrame:
    """Scores with many ties; patients of unequal size."""
    rng = np.random.default_rng(seed)
    target = (rng.random(n) < 0.15).astype(int)
    target[:2] = 0, 1
    return pd.DataFrame(
        {
            "patient_id": [f"IP_{i:03d}" for i in rng.integers(n_patients, size=n) ** 2 // 40],
            "target": target,
            "score": np.round((rng.normal(target, 1.0)) * levels / 6) / levels,
        }
    )


def params(n: int = 50, seed: int = 1) -> bootstrap.Params:
    return bootstrap.Params(min_tpr=0.8, n_resamples=n, confidence=0.95, seed=seed)


def drawn(table: pd.DataFrame, n: int = 50, seed: int = 1) -> bootstrap.Resamples:
    return bootstrap.draw(table, params(n, seed))


def both(table: pd.DataFrame, n: int = 50) -> bootstrap.Both:
    return bootstrap.draw_both(table, params(n))


def written_out(table: pd.DataFrame, resamples: bootstrap.Resamples, row: int) -> pd.DataFrame:
    """The lesions of one resample, one by one."""
    times = resamples.counts[row][resamples.codes(table)]
    return table.loc[table.index.repeat(times)]
