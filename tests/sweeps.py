"""Rows of a sweep, as `dvc.api.exp_show` gives them."""

import itertools
from pathlib import Path

from dvc.utils.flatten import flatten
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
KNOWN = list(flatten(YAML(typ="safe").load(ROOT / "params.yaml")))
DEFAULTS = dict.fromkeys(KNOWN, "x") | {"augment.cutout.rate": 0.0, "split.train_folds": "[0]"}


def row(name: str | None, value: float | None, *, state: str | None = "Success", **changes):
    """A row as dvc.api.exp_show gives it; `a__b=1` stands for the param a.b."""
    params = {key.replace("__", "."): changed for key, changed in changes.items()}
    kind = (
        {"rev": "main", "typ": "baseline"} if name is None else {"rev": "1", "typ": "branch_base"}
    )
    return {"Experiment": name, "State": state, "oof.pauc": value, **kind, **DEFAULTS, **params}


def grid(n_backbones: int = 5) -> list[dict]:
    """Thirty experiments over four params, some of long names and values."""
    axes = {
        "model__backbone": [f"efficientnetv2_b{i}" for i in range(n_backbones)],
        "encode__numeric": ["[]", str(["tbp_lv_nevi_confidence", "clin_size_long_diam_mm"])],
        "resample__negatives_per_positive": [3.0, 10.0, "None"],
    }
    found = [row(None, 0.14)]
    for i, values in enumerate(itertools.product(*axes.values())):
        settings = dict(zip(axes, values, strict=True)) | {"train__seed": float(i % 4)}
        interval = {"oof.pauc_low": 0.09, "oof.pauc_high": 0.16}
        found.append(row("_".join(map(str, values)), 0.1 + i / 1000, **settings) | interval)
    return found
