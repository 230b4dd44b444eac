"""How far the network's logits of a lesion spread: over models of folds, over views of a tile."""

from pathlib import Path

import pandas as pd

__all__ = ["COLUMNS", "write"]

COLUMNS = ("sd_folds", "sd_views")


def write(scored: pd.DataFrame, path: Path) -> None:
    """Write spreads, as network_sd_folds and network_sd_views, those of them that there are.

    Args:
        scored: isic_id and COLUMNS; NaN where a logit is of one model or one view.
        path: The CSV file; without rows where there is no spread at all.
    """
    names = [name for name in COLUMNS if scored[name].notna().any()]
    found = scored[["isic_id", *names]].rename(columns={name: f"network_{name}" for name in names})
    found[: None if names else 0].to_csv(path, index=False)
