"""Scores of two members for tests: a network and a table expert whose errors are independent."""

import numpy as np
import pandas as pd
from scipy.special import expit

from skinlesion.evaluation import combination, stacking

BOTH = ["network", "table"]


def params(**changes) -> stacking.Params:
    given = {"members": BOTH, "combine": "logistic", "method": "platt", "n_parts": 4, "seed": 3}
    return stacking.Params(**given | changes)


def drawn(seed: int = 0, n: int = 3000, network: float = 1.5, table: float = 1.5) -> pd.DataFrame:
    """Two members whose errors are independent, and a table expert that is worse alone."""
    rng = np.random.default_rng(seed)
    target = (rng.random(n) < 0.1).astype(int)
    return pd.DataFrame(
        {
            "isic_id": [f"ISIC_{i:07d}" for i in range(n)],
            "patient_id": rng.integers(0, 200, n).astype(str),
            "target": target,
            "fold": 0,
            "network": expit(rng.normal(network * target - 2, 1)),
            "table": expit(rng.normal(table * target - 2, 1)),
            "table_alone": expit(rng.normal(0.5 * target - 2, 1)),
        }
    )


def spread(lesions: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    columns = [c for of in combination.SPREADS.values() for c in of]
    return lesions.assign(**{c: rng.gamma(1, 0.2, len(lesions)) for c in columns})
