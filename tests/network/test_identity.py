"""network.identity: hashes of files and folders; the tests of training.fingerprint try the rest."""

from skinlesion.network import identity


def test_a_folder_is_hashed_by_its_files_and_their_names(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"hello")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "b.csv").write_bytes(b"hello")
    paths = (tmp_path / "a.csv", tmp_path / "folder")
    found = identity.md5s(paths)
    (tmp_path / "folder" / "b.csv").rename(tmp_path / "folder" / "c.csv")
    renamed = identity.md5s(paths)

    assert found[str(paths[0])] == "5d41402abc4b2a76b9719d911017c592"
    assert renamed[str(paths[0])] == found[str(paths[0])]
    assert renamed[str(paths[1])] != found[str(paths[1])]
