"""bundle.bulk: a table of any order and length gets the scores of its patients, one by one."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from skinlesion.bundle import bulk, combining, runtime
from skinlesion.errors import InputError

ROOT = Path(__file__).parents[2]
# What the runtime does without, and what imports it by itself where it is installed.
HEAVY = (
    *("tensorflow", "keras", "keras_cv", "jax", "torch", "dvc", "dvclive", "pyarrow", "sklearn"),
    *("matplotlib", "pandera", "jinja2", "yaml", "distributed", "dask", "vl_convert"),
)
LIGHT = f"""
import sys
sys.modules.update(dict.fromkeys({HEAVY}))  # to import one of them is an ImportError
from skinlesion.cli import main
main()
"""


@pytest.fixture
def files(made, challenge, tmp_path) -> bulk.Files:
    images = challenge / "test-image.hdf5"
    return bulk.Files(made / "both", challenge / "test-metadata.csv", images, tmp_path / "out")


def predictions(files: bulk.Files, *, strict: bool = False) -> pd.DataFrame:
    bulk.score(files, strict=strict)
    return pd.read_csv(files.out / "predictions.csv", keep_default_na=False)


@pytest.mark.parametrize("n_at_a_time", [1, 7, 8192])
def test_the_file_holds_what_score_gives_however_it_is_cut(
    files, table, tiles, monkeypatch, n_at_a_time
):
    monkeypatch.setattr(bulk, "N_AT_A_TIME", n_at_a_time)
    monkeypatch.setattr(bulk, "N_ROWS", 4)
    bulk.score(files, strict=False)
    found = pd.read_csv(files.out / "predictions.csv")
    expected = runtime.open(files.bundle).score(table, tiles)

    for name in ("isic_id", "patient_id", "rank", "n_lesions"):
        assert found[name].tolist() == expected[name].tolist()
    for name in ("probability", "logit", "network", "table", "uncertainty"):
        np.testing.assert_array_equal(found[name], expected[name])


def test_lesions_of_a_table_without_patients_are_scored_alone(files, table, tiles, tmp_path):
    path = tmp_path / "alone.csv"
    table.drop(columns="patient_id").to_csv(path, index=False)
    found = predictions(bulk.Files(files.bundle, path, files.images, files.out))

    expected = runtime.open(files.bundle).score(table.drop(columns="patient_id"), tiles)
    np.testing.assert_array_equal(found["logit"].astype(float), expected["logit"])
    assert found["rank"].eq(1).all()


def broken(files: bulk.Files, to: Path, *ids: str) -> bulk.Files:
    """The same with a copy of the tiles, in which some hold no image."""
    with h5py.File(files.images) as given, h5py.File(to, "w") as file:
        for name in given:
            content = b"no image" if name in ids else bytes(given[name][()])
            file[name] = np.void(content)
    return bulk.Files(files.bundle, files.metadata, to, files.out)


def test_unreadable_tiles_are_listed_and_get_the_median(files, table, tmp_path):
    bad = table["isic_id"][3]
    found = predictions(broken(files, tmp_path / "t.hdf5", bad)).set_index("isic_id")
    listed = pd.read_csv(files.out / "unreadable.csv")

    assert listed["isic_id"].tolist() == [bad]
    z = np.log(found["network"] / (1 - found["network"]))
    assert z[bad] == pytest.approx(z.drop(bad).median())


def test_a_disk_that_is_full_at_the_end_leaves_the_scores_of_an_earlier_run(files, monkeypatch):
    bulk.score(files, strict=False)
    before = {path.name: path.read_bytes() for path in files.out.iterdir()}

    class Full(pd.DataFrame):
        def to_csv(self, file, **_) -> None:
            file.write(b"isic_id,")
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(combining, "finished", lambda *_: Full())
    with pytest.raises(OSError, match="No space left"):
        bulk.score(files, strict=False)

    assert {path.name: path.read_bytes() for path in files.out.iterdir()} == before


def test_strict_stops_at_an_unreadable_tile(files, table, tmp_path):
    with pytest.raises(InputError, match=f"{table['isic_id'][3]}: "):
        predictions(broken(files, tmp_path / "t.hdf5", table["isic_id"][3]), strict=True)


def test_tiles_none_of_which_can_be_read_are_an_error(files, table, tmp_path):
    said = rf"readable\. Got none of {len(table)}\. {table['isic_id'][0]}: (?!ISIC)"
    with pytest.raises(InputError, match=said):
        predictions(broken(files, tmp_path / "t.hdf5", *table["isic_id"]))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda t: t.drop(columns="tbp_lv_H"), "must have a column 'tbp_lv_H'"),
        (lambda t: t.assign(tbp_lv_H="wide"), r"test\.csv: tbp_lv_H must be a finite number"),
        (lambda t: pd.concat([t, t[:1]]), "must name each isic_id once"),
        (lambda t: t[:0], "must hold lesions"),
    ],
)
def test_a_table_that_cannot_be_scored_is_refused_before_anything_is_written(
    files, table, tmp_path, spoil, said
):
    path = tmp_path / "test.csv"
    spoil(table).to_csv(path, index=False)
    with pytest.raises(InputError, match=said):
        bulk.score(bulk.Files(files.bundle, path, files.images, files.out), strict=False)
    assert not files.out.exists()


def test_the_command_scores_where_nothing_heavy_can_be_imported(files):
    """The environment of `pip install skinlesion`: benchmarks/light.py makes a real one."""
    line = [sys.executable, "-c", LIGHT, "score", *map(str, vars(files).values())]
    env = os.environ | {"PYTHONPATH": str(ROOT / "src"), "TQDM_DISABLE": "1"}
    ran = subprocess.run(line, env=env, capture_output=True, text=True)

    assert (ran.returncode, ran.stderr) == (0, "")
    assert "30 lesions into" in ran.stdout
    apart = pd.read_csv(files.out / "predictions.csv")
    bulk.score(files, strict=False)
    pd.testing.assert_frame_equal(apart, pd.read_csv(files.out / "predictions.csv"))
