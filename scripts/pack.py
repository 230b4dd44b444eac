"""Pack a folder of tiles into the one HDF5 file that the pipeline reads, and DVC hashes, fast.

    python scripts/pack.py data/raw/isic-2024/train-image data/raw/isic-2024/train-image.hdf5

The folder holds <isic_id>.jpg (or .jpeg, .png) at any depth; their bytes are copied as they
are. The file appears when it is whole, so the command may be stopped at any moment.
"""

import argparse
from functools import partial
from pathlib import Path

from tqdm import tqdm

from skinlesion import errors
from skinlesion.dataset import stores
from skinlesion.preparation import packing


def main(folder: Path, hdf5: Path, leave_out_broken: bool) -> None:
    """Read, pack, and say what became of it."""
    store = stores.open_store(folder, rehearse=True)
    bar = partial(tqdm, desc="pack", unit="tile", mininterval=1, maxinterval=30)
    left_out = packing.pack(store, hdf5, leave_out_broken=leave_out_broken, progress=bar)
    print(f"pack: {len(store.ids()) - len(left_out):,} tiles into {hdf5}")
    if left_out:
        print(f"left out {len(left_out):,} broken tiles: see {packing.left_out_csv(hdf5)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where the tiles are")
    parser.add_argument("hdf5", type=Path, help="the file to write; an earlier one is replaced")
    parser.add_argument(
        "--leave-out-broken",
        action="store_true",
        help="leave out tiles that do not decode, and list them beside the file; otherwise they "
        "are an error",
    )
    args = parser.parse_args()
    errors.run(main, args.folder, args.hdf5, args.leave_out_broken)
