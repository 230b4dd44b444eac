"""Challenge folders of any size within seconds: drawn tables, a few tiles under many ids."""

import shutil
from itertools import cycle
from pathlib import Path

import h5py
import harness
import numpy as np
import pandas as pd

from skinlesion.dataset import metadata
from skinlesion.synthetic import challenge_folder, clinics, lesion_table, population, rendering

N_PATIENTS, N_LESIONS, N_MALIGNANT = 1042, 401_059, 393  # of SLICE-3D
MIN_MALIGNANT = 60  # or no fold would have any
N_TEST = 100


def folder(path: Path, *, n_lesions: int, n_tiles: int = 128, linked: bool = True) -> Path:
    """Draw a challenge folder with the params beside it, in a process of its own.

    A process that is measured later would inherit the peak memory of the drawing.

    Args:
        path: The folder, made if need be.
        n_lesions: Of the training table; of 1,042 patients where there are enough.
        n_tiles: Different tiles; each serves many lesions.
        linked: Whether those lesions share the bytes of the file, too.
    """
    harness.apart(draw, str(path), n_lesions, n_tiles, linked)
    return path


def draw(folder: str, n_lesions: int, n_tiles: int, linked: bool) -> None:
    """Draw as `folder` says.

    Args:
        folder: As for `folder`, and so the others.
        n_lesions: See there.
        n_tiles: See there.
        linked: See there.
    """
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    _, ids = population.identifiers("ISIC", n_lesions + N_TEST, rng=rng)
    patients = population.patients(min(N_PATIENTS, n_lesions // 4), rng=rng)
    patients = clinics.applied(patients, clinics.NONE)
    n_malignant = max(MIN_MALIGNANT, round(N_MALIGNANT * n_lesions / N_LESIONS))
    table, looks = lesion_table.lesions(patients, ids[:n_lesions], n_malignant=n_malignant, rng=rng)
    hidden = [c for c in challenge_folder.COLUMNS if c not in metadata.TRAIN_ONLY]
    test = table.head(N_TEST).assign(isic_id=ids[n_lesions:][: len(table)])
    table[challenge_folder.COLUMNS].to_csv(path / "train-metadata.csv", index=False)
    test[hidden].to_csv(path / "test-metadata.csv", index=False)
    some = looks.sample(min(n_tiles, n_lesions), random_state=0)
    tiles = [rendering.jpeg(rendering.Look(*look), seed=0) for look in some.itertuples(index=False)]
    _write(path / "train-image.hdf5", table["isic_id"], tiles, linked=linked)
    _write(path / "test-image.hdf5", test["isic_id"], tiles, linked=linked)
    shutil.copy(harness.ROOT / "params.yaml", path)


def _write(path: Path, ids: pd.Series, tiles: list[bytes], *, linked: bool) -> None:
    with h5py.File(path, "w") as file:
        first: list[h5py.Dataset] = []
        for isic_id, tile in zip(ids, cycle(tiles), strict=False):
            if linked and len(first) == len(tiles):
                file[isic_id] = first[0]
                first.append(first.pop(0))
            else:
                file.create_dataset(isic_id, data=np.bytes_(tile), track_times=False)
                first.append(file[isic_id])
                first = first[-len(tiles) :]


def hold_mib(n: int) -> int:
    """Take memory for a moment.

    Args:
        n: How much.
    """
    return len(b"x" * (n * 2**20)) // 2**20
