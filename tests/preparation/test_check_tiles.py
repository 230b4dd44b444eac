"""preparation.check_tiles: every tile decodes, or its lesion is named with the reason."""

import pytest
from tests.checking import TILE, Memory, as_read, encoded, errors, inspect, table

from skinlesion.preparation import check


@pytest.fixture
def right(tmp_path):
    return as_read(table(), tmp_path)


BROKEN = [
    (b"", "must be a whole JPEG or PNG. It is empty."),
    (TILE[:-30], "must be a whole JPEG or PNG. Premature end of JPEG file"),
    (b"GIF89a..", "must be a whole JPEG or PNG. It begins with b'GIF8'."),
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
        assert list(found.values()) == [["ISIC_03"]]
        assert next(iter(found)).startswith(f"train.hdf5: {reason}")
        assert not none
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
        "train.hdf5: a tile has no row in train.csv": ["ISIC_98", "ISIC_99"]
    }


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
    check.inspect(part, check.Findings(), progress=progress)
    assert told == {"total": 6, "desc": "train.hdf5"}
