"""bundle.manifest: a bundle is whole, and unchanged, or it is refused by the name of the file."""

import hashlib
import importlib.metadata
import json
import shutil

import pytest

from skinlesion.bundle import manifest, runtime
from skinlesion.errors import InputError

FILES = {"card.json": "{}", "network/fold-0/network.tflite": "0123", "combination.json": "[]"}


@pytest.fixture
def folder(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    manifest.write(tmp_path)
    return tmp_path


def test_it_holds_the_sha_256_of_each_file(folder):
    given = json.loads((folder / "manifest.json").read_text())

    assert list(given["files"]) == sorted(FILES)
    for name, text in FILES.items():
        assert given["files"][name] == hashlib.sha256(text.encode()).hexdigest()
    assert given["version"] == importlib.metadata.version("skinlesion")


def test_the_checksum_is_that_of_the_manifest(folder):
    content = (folder / "manifest.json").read_bytes()

    assert manifest.checked(folder).checksum == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("name", FILES)
def test_a_changed_file_is_named(folder, name):
    (folder / name).write_text(FILES[name][:-1] + "x")
    with pytest.raises(InputError, match=rf"{name} must have the SHA-256 [0-9a-f]+, as .* Got "):
        manifest.checked(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(InputError, match=rf"{name} must be there, as manifest\.json says"):
        manifest.checked(folder)


@pytest.mark.parametrize("name", ["more.txt", "network/fold-1/network.tflite", ".hidden"])
def test_a_further_file_is_named(folder, name):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("")
    with pytest.raises(InputError, match=rf"files of manifest\.json only\. Got {name}, too"):
        manifest.checked(folder)


def test_a_file_under_the_name_of_a_folder_is_no_way_out(folder, tmp_path):
    """Such as a link: what it points at is what is hashed, and must be what the manifest says."""
    (folder / "card.json").unlink()
    (folder / "card.json").symlink_to(folder / "combination.json")
    with pytest.raises(InputError, match=r"card\.json must have the SHA-256"):
        manifest.checked(folder)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            lambda f: (f / "manifest.json").unlink(),
            r"must be a bundle\. It holds no manifest\.json",
        ),
        (lambda f: (f / "manifest.json").write_text("{"), "must be the manifest of a bundle"),
        (lambda f: (f / "manifest.json").write_text("{}"), "must be the manifest of a bundle"),
        (lambda f: (f / "manifest.json").write_bytes(b"\xff\x00"), "must be the manifest"),
        (lambda f: shutil.rmtree(f), r"must be a bundle\. It holds no manifest\.json"),
    ],
)
def test_what_is_no_bundle_is_refused(folder, spoil, said):
    spoil(folder)
    with pytest.raises(InputError, match=said):
        runtime.open(folder)


def test_a_bundle_of_another_format_says_which_version_wrote_it(folder):
    given = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(given | {"format": 2, "version": "1.2.3"}))
    with pytest.raises(InputError, match=r"Got format 2, of skinlesion 1\.2\.3: install that"):
        manifest.checked(folder)


def test_a_file_in_the_place_of_a_bundle_is_refused(folder):
    with pytest.raises(InputError, match="must be a bundle, a folder"):
        manifest.checked(folder / "card.json")
