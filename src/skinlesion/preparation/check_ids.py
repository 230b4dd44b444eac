"""Whether the lesions of a table and the tiles of a store are called by the same names."""

from skinlesion.dataset import ids
from skinlesion.preparation import check_table
from skinlesion.preparation.findings import Findings, Part

__all__ = ["inspect"]

MOST = 0.5  # share of the lesions


def inspect(part: Part, findings: Findings) -> None:
    """Require tiles of most lesions, and say what would match where there are none.

    A test lesion without a tile is scored all the same, but not if that is so of most: then the
    names are wrong, or the file.

    Args:
        part: A half of the folder.
        findings: What is wrong is added here.
    """
    named, kept = check_table.isic_ids(part.table), part.store.ids()
    absent = named[~named.isin(kept)].tolist()
    if len(absent) > MOST * len(named):
        what = f"{part.store_name}: most lesions of {part.table_name} have no tile in it. "
        findings.errors[what + ids.hint(absent, kept)] += absent
