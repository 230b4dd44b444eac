"""preparation.check_tiles: every tile decodes, or its lesion is named with the reason."""

import io

import numpy as np
import pytest
from PIL import Image
from tests.checking import TILE, Memory, as_read, encoded, errors, inspect, table

from skinlesion.preparation import check


@pytest.fixture
def right(tmp_path):
    return as_read(table(), tmp_path)


HOLDS_5 = " it holds 5 tiles, train.csv 6 rows. Is it whole?"
BROKEN = [
    (b"", "must be a whole JPEG or PNG. It is empty."),
    (TILE[:-30], "must be a whole JPEG or PNG. Premature end of JPEG file"),
    (b"GIF89a\0\0", "must be a whole JPEG or PNG. It begins with b'GIF8'."),
    (encoded(mode="CMYK"), "must be RGB or greyscale, 8 bit. Got CMYK."),
    (None, "it has no tile in memory."),
]


@pytest.mark.parametrize(("tile", "reason"), BROKEN)
def test_a_broken_or_absent_tile_is_an_error_in_training_and_a_warning_in_test(right, tile, reason):
    tiles = dict.fromkeys(right["isic_id"], TILE) | {"ISIC_03": tile}
    tiles = {isic_id: data for isic_id, data in tiles.items() if data is not None}
    for training in (True, False):
        findings, sizes = inspect(right, tiles, training=training)
        found, none = findings.errors, findings.warnings
        if not training:
            found, none = none, found
        assert found.pop(f"train.hdf5:{HOLDS_5}", None) in (None, ["ISIC_03"])
        assert list(found.values()) == [["ISIC_03"]]
        assert next(iter(found)).startswith(f"train.hdf5: {reason}")
        assert {said.partition(":")[2] for said in none} <= {HOLDS_5}
        assert len(sizes.width_px) == len(sizes.height_px) == 5


def test_tiles_broken_alike_are_one_group_whatever_their_bytes():
    lesions = table(40)
    whole = encoded(60, 60)
    tiles = {f"ISIC_{i:02d}": whole[: len(whole) // 2 + 3 * i] for i in range(40)}
    assert [len(ids) for ids in errors(lesions, tiles).values()] == [40]
    junk = {f"ISIC_{i:02d}": bytes([65 + i, 39, 34, 66]) for i in range(40)}
    assert [len(ids) for ids in errors(lesions, junk).values()] == [40]


def test_tiles_broken_otherwise_are_another_group(right):
    tiles = dict(zip(right["isic_id"], [tile for tile, _ in BROKEN], strict=False))
    tiles = {isic_id: tile for isic_id, tile in tiles.items() if tile is not None}
    assert len(errors(right, tiles)) == len(BROKEN)


def test_a_tile_without_a_row_is_a_warning(right):
    tiles = dict.fromkeys([*right["isic_id"], "ISIC_99", "ISIC_98"], TILE)
    findings, _ = inspect(right, tiles)
    assert not findings.errors
    assert findings.warnings == {
        "train.hdf5: a tile has no row in train.csv": ["ISIC_98", "ISIC_99"],
        "train.hdf5: it holds 8 tiles, train.csv 6 rows. Is it whole?": ["ISIC_98", "ISIC_99"],
    }


@pytest.mark.parametrize("training", [True, False])
def test_the_numbers_of_tiles_and_of_rows_are_compared(right, training):
    tiles = dict.fromkeys(right["isic_id"][:5], TILE)
    findings, _ = inspect(right, tiles, training=training)
    assert findings.warnings["train.hdf5: it holds 5 tiles, train.csv 6 rows. Is it whole?"]


@pytest.mark.parametrize("name", ["ISIC_\udce9", "ISIC_\x1b[2J", "ISIC_\0"])
def test_a_name_that_is_no_text_is_shown_as_text(right, name):
    tiles = dict.fromkeys([*right["isic_id"], name], TILE)
    findings, _ = inspect(right, tiles)
    shown = "\n".join(findings.lines("warnings"))
    assert shown.replace("\n", "").isprintable()
    assert "ISIC_\\" in shown


# === What a tile shows ===


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("size", [(1, 1), (300, 3), (7, 20), (20, 7)])
def test_a_tile_that_is_too_small_is_an_error_in_training_and_a_warning_in_test(
    right, training, size
):
    tiles = dict.fromkeys(right["isic_id"], TILE) | {"ISIC_03": encoded(*size)}
    findings, sizes = inspect(right, tiles, training=training, min_side_px=8)
    found, none = findings.errors, findings.warnings
    if not training:
        found, none = none, found
    said = (
        "train.hdf5: must have 8 pixels or more either way (data.min_side_px). Got {} x {} first."
    )
    assert found == {said.format(*size): ["ISIC_03"]}
    assert not none
    assert len(sizes.width_px) == 6


def test_a_tile_of_the_least_side_will_do(right):
    tiles = dict.fromkeys(right["isic_id"], encoded(8, 8))
    assert not errors(right, tiles, min_side_px=8)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("side", [1, 2, 131])
def test_a_tile_of_one_colour_is_a_warning(right, training, side):
    file = io.BytesIO()
    Image.new("RGB", (side, side), (180, 130, 110)).save(file, "JPEG")
    tiles = dict.fromkeys(right["isic_id"], TILE) | {"ISIC_03": file.getvalue()}
    findings, _ = inspect(right, tiles, training=training)
    assert not findings.errors
    assert findings.warnings == {"train.hdf5: it is of one colour": ["ISIC_03"]}


@pytest.mark.parametrize("at", [(0, 0), (10, 10), (19, 3)])
def test_a_tile_with_one_other_pixel_is_not_of_one_colour(right, at):
    pixels = np.full((20, 20, 3), 90, np.uint8)
    pixels[at] = 91
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    findings, _ = inspect(right, dict.fromkeys(right["isic_id"], file.getvalue()))
    assert not findings.warnings


def test_a_test_half_without_a_readable_tile_is_an_error(right):
    broken = dict.fromkeys(right["isic_id"], TILE[:-30])
    said = "train.hdf5: must hold a tile that can be read"
    assert said in errors(right, broken, training=False)
    assert said not in errors(right, broken | {"ISIC_00": TILE}, training=False)


def test_the_tile_of_an_excluded_lesion_needs_no_row(right):
    findings, _ = inspect(
        right, dict.fromkeys([*right["isic_id"], "ISIC_99"], TILE), known=["ISIC_99"]
    )
    assert not findings.warnings


def test_progress_hears_of_every_tile(right):
    told = {}

    def progress(tiles, **options):
        told.update(options)
        return tiles

    part = check.Part(right, "train.csv", Memory({}), "train.hdf5", training=True)
    check.inspect(part, check.Findings(), check.Look(progress=progress))
    assert told == {"total": 6, "desc": "train.hdf5"}
