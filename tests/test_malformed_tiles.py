"""Malformed and odd tiles, HDF5 files, folders and models: a result or one InputError, in time."""

import contextlib
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests import malformed_tiles
from tests.dataset.test_hdf5 import KEPT
from tests.malformed import often
from tests.malformed_tiles import CUSTOMARY, in_time
from tests.tiles import JPEG

from skinlesion.dataset import images, stores
from skinlesion.errors import InputError
from skinlesion.preparation import check

SCALES = (None, 8, 24, 64)


@often(120)
@given(malformed_tiles.tiles())
def test_a_tile_is_pixels_or_refused_and_alike_at_every_scale(data):
    with in_time():
        verdicts = [verdict(data, min_px) for min_px in SCALES]
    assert len(set(verdicts)) == 1, verdicts


def verdict(data: bytes, min_px: int | None) -> str:
    try:
        pixels = images.decode(data, min_px=min_px)
    except images.ImageError as error:
        return str(error) or "nothing was said"
    assert (pixels.dtype, pixels.shape[2]) == (np.uint8, 3)
    assert images.square(pixels, px=8).shape == (8, 8, 3)
    return ""


def read(path: Path, *, rehearse: bool = False) -> dict[str, bytes | str]:
    """What a store says of each tile; fails with anything but an InputError."""
    try:
        store = stores.open_store(path, rehearse=rehearse)
        isic_ids = store.ids()
    except InputError as error:
        return {"": str(error)}
    found: dict[str, bytes | str] = {}
    for isic_id in [*isic_ids, "ISIC_2", "ISIC_absent"]:
        try:
            found[isic_id] = store.read(isic_id)
        except images.ImageError as error:
            found[isic_id] = str(error)
    stores.group(store)
    return found


@pytest.fixture
def path(tmp_path):
    """Name files that HDF5 has not open: it would go on with what it knows of a name."""
    names = (tmp_path / f"{i}.hdf5" for i in range(10**9))

    @contextlib.contextmanager
    def written(content: bytes):
        path = next(names)
        path.write_bytes(content)
        yield path
        path.unlink()

    return written


@often(100)
@given(content=malformed_tiles.hdf5_files(kept=CUSTOMARY))
def test_a_damaged_hdf5_file_is_read_or_refused(path, content):
    with path(content) as damaged, in_time():
        refused = read(damaged).get("", f"of {damaged}")
        assert str(damaged) in str(refused)


@often(3)
@given(
    content=st.one_of(
        malformed_tiles.hdf5_files(kept=tuple(KEPT), libver="latest"),
        malformed_tiles.hdf5_files(kept=tuple(kept for kept in KEPT if kept not in CUSTOMARY)),
    )
)
def test_a_damaged_hdf5_file_of_an_uncommon_layout_is_rehearsed_and_read_or_refused(path, content):
    with path(content) as damaged, in_time():
        read(damaged, rehearse=True)


@often(40)
@given(entries=malformed_tiles.folders())
@example(entries={"a/ISIC_1.jpg": JPEG, "ISIC_1.png": JPEG})
def test_a_folder_is_checked_whatever_lies_in_it(tmp_path, entries):
    folder = tmp_path / "tiles"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in entries.items():
        with contextlib.suppress(OSError):  # names that the disk refuses, or a file and a folder
            put(folder / name, content)
    with in_time(), contextlib.suppress(InputError):
        store = stores.open_store(folder)
        findings, table = check.Findings(), pd.DataFrame({"isic_id": ["ISIC_1", "ISIC_2"]})
        part = check.Part(table, "test.csv", store, "tiles", training=False)
        check.inspect(part, findings, check.Look(progress=lambda tiles, **_: tiles))
        said = "".join([*findings.lines("errors"), *findings.lines("warnings")])
        assert said.isprintable()
        for isic_id in store.ids():
            with contextlib.suppress(images.ImageError):
                store.read(isic_id)


def put(path: Path, content: bytes | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "folder":
        path.mkdir()
    else:
        path.symlink_to(path.parent if content == "loop" else path.with_name("nowhere"))


# === Models ===


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory):
    """The files of a small model, by name."""
    from tests.network.test_trained import ENCODE, FACTS, LESIONS

    from skinlesion.features import tabular
    from skinlesion.network import model, trained

    encoder = tabular.fit(LESIONS, tabular.Params(**ENCODE))
    block = {"backbone": "none", "weights": "none", "image_px": 32, "image_dropout": 0.0}
    block |= {"tabular_units": [3], "tabular_dropout": 0.0, "head_units": [2]}
    plan = {"model": block, "n_features": len(encoder.names), "imagenet_input": False}
    architecture = model.Architecture.model_validate(plan)
    facts = trained.Facts(**FACTS, versions={"keras": "3"}, inputs_md5={})
    folder, given = tmp_path_factory.mktemp("model"), {"encoder": encoder, "facts": facts}
    trained.save(folder, model.build(architecture), architecture=architecture, **given)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@often(37)
@given(data=st.data())
def test_a_damaged_model_is_loaded_or_refused(model_folder, tmp_path, data):
    from skinlesion.network import trained

    files = dict(model_folder)
    name = data.draw(st.sampled_from(sorted(files)))
    if name.endswith(".json") and data.draw(st.booleans()):
        whole = json.loads(files[name])
        files[name] = json.dumps(data.draw(malformed_tiles.json_damage(whole))).encode()
    else:
        files[name] = data.draw(malformed_tiles.damaged(files[name]))
    folder = tmp_path / "model"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    with in_time(), contextlib.suppress(InputError):
        found = trained.load(folder)
        lesion = {"tabular": np.zeros((1, found.architecture.n_features), np.float32)}
        assert np.isfinite(found.logits(lesion)).all()
