"""Whether the lesions of a table and the tiles of a store are called by the same names."""

from skinlesion.dataset import ids, stores
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
    named, kept = check_table.isic_ids(part.table), set(part.store.ids())
    absent = [isic_id for isic_id in named if isic_id not in kept]
    if len(absent) > MOST * len(named):
        what = f"{part.store_name}: most lesions of {part.table_name} have no tile in it. "
        group = stores.group(part.store)
        found = f"Tiles are under {group}, and must be at the top." if group else ""
        findings.errors[what + (found or ids.hint(absent, kept))] += absent
