"""dataset.folder: a folder is searched at any depth; each isic_id has one file."""

import pytest
from tests.tiles import JPEG

from skinlesion.dataset import images, stores
from skinlesion.errors import InputError


def test_a_folder_is_searched_at_any_depth_and_for_any_of_the_suffixes(tmp_path):
    names = ["ISIC_1.jpg", "a/ISIC_2.JPG", "a/b/ISIC_3.jpeg", "c/ISIC_4.png"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "a" / "notes.txt").touch()
    store = stores.open_store(tmp_path)
    assert [store.read(isic_id) for isic_id in store.ids()] == [name.encode() for name in names]


@pytest.mark.parametrize("again", ["b/ISIC_1.jpg", "ISIC_1.png", "a/ISIC_1.JPEG"])
def test_two_files_of_one_isic_id_are_refused(tmp_path, again):
    for name in ("ISIC_1.jpg", "ISIC_2.jpg", again):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(JPEG)
    said = rf"{tmp_path} must hold one tile per isic_id\. Got several of \['ISIC_1'\]"
    with pytest.raises(InputError, match=said):
        stores.open_store(tmp_path)


@pytest.mark.parametrize("broken", ["folder", "dangling", "gone"])
def test_a_file_that_cannot_be_read_is_a_broken_tile(tmp_path, broken):
    path = tmp_path / "ISIC_1.jpg"
    if broken == "folder":
        path.mkdir()
    elif broken == "dangling":
        path.symlink_to(tmp_path / "nothing")
    else:
        path.touch()
    store = stores.open_store(tmp_path)
    if broken == "gone":
        path.unlink()
    with pytest.raises(images.ImageError, match=rf"it cannot be read\. .*{path}"):
        store.read("ISIC_1")


def test_a_path_is_no_isic_id(tmp_path):
    (tmp_path / "tiles").mkdir()
    (tmp_path / "other.jpg").write_bytes(JPEG)
    with pytest.raises(images.ImageError, match="it has no tile"):
        stores.open_store(tmp_path / "tiles").read("../other")
