"""Ways to encode, and drawn lesions to try them on."""

import numpy as np
import pandas as pd
import pytest

from skinlesion.features import tabular

PARAMS = {
    "numeric": ["age_approx", "tbp_lv_A"],
    "categorical": ["sex", "site"],
    "scaling": "robust",
    "missing": "indicator",
    "min_category_count": 1,
}
ENCODINGS = pytest.mark.parametrize(
    "changes",
    [
        {},
        {"scaling": "standard"},
        {"missing": "median"},
        {"min_category_count": 20},
        {"numeric": []},
        {"categorical": []},
        {"numeric": [], "categorical": []},
    ],
    ids=str,
)


def params(**changes) -> tabular.Params:
    return tabular.Params(**PARAMS | changes)


def drawn(seed: int, n: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "isic_id": [f"ISIC_{seed}_{i}" for i in range(n)],
            "patient_id": "IP_1",
            "age_approx": np.where(rng.random(n) < 0.1, np.nan, rng.integers(20, 85, n)),
            "tbp_lv_A": rng.gamma(2.0, 5.0, n),
            "sex": rng.choice(["male", "female", None], n, p=[0.5, 0.4, 0.1]),
            "site": rng.choice(["torso", "leg", "arm", "head"], n, p=[0.6, 0.2, 0.15, 0.05]),
        }
    )
