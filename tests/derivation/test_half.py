"""derivation.half: both halves of a challenge folder, without a label."""

import pyarrow.parquet as pq
import pytest

from skinlesion.dataset import challenge as folder
from skinlesion.dataset import metadata
from skinlesion.derivation import half, plan

P = plan.Params(
    base="all",
    derived=["log_area"],
    tile=["colour"],
    categorical=["sex", "tbp_tile_type"],
    relative=plan.Relative(patient=["z"], patient_site=[], patient_location=[]),
    min_lesions=3,
)


@pytest.fixture
def halves(challenge, tmp_path):
    kept = metadata.read(challenge / "train-metadata.csv")["isic_id"][5:]
    kept.to_csv(tmp_path / "lesions.csv", index=False)
    names = ("train-metadata.csv", "train-image.hdf5", "test-metadata.csv", "test-image.hdf5")
    return half.read(
        folder.Files(*(challenge / n for n in names)), P, lesions=tmp_path / "lesions.csv"
    )


def test_lesions_left_out_on_purpose_are_left_out(halves, challenge):
    every = metadata.read(challenge / "train-metadata.csv")["isic_id"]
    assert halves["train"].table["isic_id"].tolist() == every[5:].tolist()


def test_no_label_is_read(halves):
    for each in halves.values():
        assert not set(each.table) & set(metadata.TRAIN_ONLY)
        assert "tbp_tile_type" in each.table


def test_what_is_written_holds_the_plan(halves, tmp_path):
    chosen = plan.make(P, *(h.table for h in halves.values()))
    half.write(tmp_path / "test.parquet", halves["test"], chosen, P)
    table = pq.read_table(tmp_path / "test.parquet").to_pandas()
    assert list(table) == ["isic_id", *chosen.numbers, *chosen.relative, *chosen.categorical]
    assert table["tile_l_rim_mean"].notna().all()
    assert table["sex"].dropna().isin(["male", "female"]).all()


def test_a_folder_without_tiles_is_found_out_only_where_tiles_are_to_be_measured(halves, tmp_path):
    bare = {name: half.Half(h.table, tmp_path) for name, h in halves.items()}
    absent = {name: half.Half(h.table, tmp_path / "absent") for name, h in halves.items()}
    assert half.have_tiles(halves, P)
    assert not half.have_tiles(bare, P)
    assert half.have_tiles(absent, P.model_copy(update={"tile": []}))
