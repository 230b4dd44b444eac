"""Fixtures of the tests of the room `shift`."""

import json

import numpy as np
import pandas as pd
import pytest

from skinlesion.dataset import metadata


@pytest.fixture
def work(challenge, tmp_path):
    """What stages before have written, of a drawn folder; patients 0, 1 and 2 of 4 are folds."""
    lesions = metadata.read(challenge / "train-metadata.csv", columns=["isic_id", "patient_id"])
    code = pd.factorize(lesions["patient_id"], sort=True)[0] % 4
    split = lesions.assign(target=0, fold=code - 1)
    split.to_csv(tmp_path / "folds.csv", index=False)
    plan = {"base": ["tbp_lv_A"], "categorical": ["sex"], "tile": ["tile_l"]}
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    test = metadata.read(challenge / "test-metadata.csv", columns=["isic_id"])
    rng = np.random.default_rng(0)
    for name, table in (("train", lesions), ("test", test)):
        numbers = table[["isic_id"]].assign(tile_l=rng.normal(size=len(table)))
        numbers.to_parquet(tmp_path / f"{name}.parquet", index=False)
    parts = {"holdout": split[split["fold"] < 0], "oof": split[split["fold"] == 0], "test": test}
    for name, table in parts.items():
        table.to_csv(tmp_path / f"{name}.csv", index=False)
        np.save(tmp_path / f"image-{name}.npy", rng.normal(size=(len(table), 3)).astype("f4"))
    return tmp_path
