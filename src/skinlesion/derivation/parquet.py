"""Write the numbers of lesions as a parquet file."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from skinlesion.derivation.plan import Plan

__all__ = ["write"]

ROWS_AT_A_TIME = 50_000  # readers hold as many


def write(path: Path, lesions: pd.DataFrame, found: Mapping[str, np.ndarray], plan: Plan) -> None:
    """Write numbers and categories as a parquet file; equal arguments give equal bytes.

    Args:
        path: The file.
        lesions: isic_id and the plan's categories, one row per lesion.
        found: From `compute`.
        plan: From `plan.make`.
    """
    arrays = {"isic_id": pa.array(lesions["isic_id"].to_numpy(str), pa.string())}
    arrays |= {name: pa.array(values) for name, values in found.items()}
    for name in plan.categorical:
        arrays[name] = pa.array(lesions[name].astype(object).where(lesions[name].notna(), None))
    pq.write_table(
        pa.table(arrays), path, row_group_size=ROWS_AT_A_TIME, use_dictionary=plan.categorical
    )
