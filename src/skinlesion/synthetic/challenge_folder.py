"""Draw the default challenge folder, in the layout of SLICE-3D."""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from skinlesion import params
from skinlesion.dataset import metadata
from skinlesion.synthetic import clinics as effects
from skinlesion.synthetic import lesion_table, population, rendering
from skinlesion.synthetic.rendering import Look

__all__ = ["COLUMNS", "Params", "draw"]

# In the order of the official file.
COLUMNS = """
    isic_id target patient_id age_approx sex anatom_site_general clin_size_long_diam_mm image_type
    tbp_tile_type tbp_lv_A tbp_lv_Aext tbp_lv_B tbp_lv_Bext tbp_lv_C tbp_lv_Cext tbp_lv_H
    tbp_lv_Hext tbp_lv_L tbp_lv_Lext tbp_lv_areaMM2 tbp_lv_area_perim_ratio tbp_lv_color_std_mean
    tbp_lv_deltaA tbp_lv_deltaB tbp_lv_deltaL tbp_lv_deltaLB tbp_lv_deltaLBnorm
    tbp_lv_eccentricity tbp_lv_location tbp_lv_location_simple tbp_lv_minorAxisMM
    tbp_lv_nevi_confidence tbp_lv_norm_border tbp_lv_norm_color tbp_lv_perimeterMM
    tbp_lv_radial_color_std_max tbp_lv_stdL tbp_lv_stdLExt tbp_lv_symm_2axis
    tbp_lv_symm_2axis_angle tbp_lv_x tbp_lv_y tbp_lv_z attribution copyright_license lesion_id
    iddx_full iddx_1 iddx_2 iddx_3 iddx_4 iddx_5 mel_mitotic_index mel_thick_mm
    tbp_lv_dnn_lesion_confidence
""".split()  # noqa: SIM905  # 55 lines otherwise
BLOCK = 4096  # tiles in memory at once
WORTH_A_PROCESS = 2000  # tiles; starting another process takes about a second
SHARED_PATIENTS = 0.2  # share of the test patients who are in the training table too
STREAM = 10_000_000  # beside the seed, numbers below this are isic_ids, each with its own tile


class Params(params.Block):
    """Block `synthesize`: how much is drawn."""

    n_lesions: int = Field(ge=2, le=2_000_000)
    n_patients: int = Field(ge=1)
    n_malignant: int = Field(ge=1)
    n_test_lesions: int = Field(ge=1, le=2_000_000)
    clinics: effects.Params
    seed: int = Field(ge=0, lt=2**32)

    @model_validator(mode="after")
    def _fits(self) -> "Params":
        if self.n_patients > self.n_lesions:
            raise ValueError("a block with n_patients <= n_lesions")
        if self.n_malignant >= self.n_lesions:
            raise ValueError("a block with n_malignant < n_lesions")
        return self


def draw(folder: Path, p: Params, *, progress: Callable[[int], object]) -> None:
    """Write a challenge folder: two tables and two HDF5 files of tiles.

    Every byte is a function of `p`. A tile is a function of the seed and its lesion alone, so
    neither the other lesions nor the number of processors matter.

    Args:
        folder: Where to write; made if need be. Files of these names are replaced.
        p: How much to draw. The test lesions are as often malignant as the training lesions,
            come from other patients, but for a fifth, and their labels are written nowhere.
        progress: Called now and then with the number of tiles written since.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([p.seed, STREAM])
    ids = _identifiers(p, rng)
    for name, patients in _patients(p, rng).items():
        n_malignant = round(p.n_malignant * len(ids[name]) / p.n_lesions)
        table, looks = lesion_table.lesions(patients, ids[name], n_malignant=n_malignant, rng=rng)
        hidden = metadata.TRAIN_ONLY if name == "test" else ()
        table = table[[column for column in COLUMNS if column not in hidden]]
        table.to_csv(folder / f"{name}-metadata.csv", index=False, lineterminator="\n")
        _write(folder / f"{name}-image.hdf5", looks, seed=p.seed, progress=progress)


def _identifiers(p: Params, rng: np.random.Generator) -> dict[str, np.ndarray]:
    n = p.n_lesions + p.n_test_lesions
    ids = population.identifiers("ISIC", n, rng=rng)[1]
    for_test = rng.permutation(n) < p.n_test_lesions
    return {"train": ids[~for_test], "test": ids[for_test]}


def _patients(p: Params, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    n_test = max(1, round(p.n_patients * p.n_test_lesions / p.n_lesions))
    n_shared = min(p.n_patients, int(SHARED_PATIENTS * n_test))
    everyone = population.patients(p.n_patients + n_test - n_shared, rng=rng)
    everyone = effects.applied(everyone, p.clinics)
    return {"train": everyone[: p.n_patients], "test": everyone[p.n_patients - n_shared :]}


def _write(
    path: Path, looks: pd.DataFrame, *, seed: int, progress: Callable[[int], object]
) -> None:
    with h5py.File(path, "w") as file:
        for number, tile in _tiles(looks, seed=seed):
            # No time of writing, or the same tiles would be another file tomorrow.
            file.create_dataset(f"ISIC_{number:07d}", data=np.bytes_(tile), track_times=False)
            progress(1)


def _tiles(looks: pd.DataFrame, *, seed: int) -> Iterator[tuple[int, bytes]]:
    paint = partial(rendering.jpeg, seed=seed)
    with _map(len(looks)) as run:
        # In blocks: a pool takes all its work at once, and keeps every tile that waits.
        for start in range(0, len(looks), BLOCK):
            block = [*map(Look._make, looks[start : start + BLOCK].itertuples(index=False))]
            yield from zip((look.number for look in block), run(paint, block), strict=True)


@contextmanager
def _map(n_tiles: int) -> Iterator[Callable[..., Iterator[bytes]]]:
    n_workers = min(os.cpu_count() or 1, n_tiles // WORTH_A_PROCESS)
    if n_workers < 2:
        yield map
        return
    # Spawned: a fork would copy the locks of whatever threads the caller runs.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(n_workers, mp_context=context) as pool:
        yield partial(pool.map, chunksize=64)
