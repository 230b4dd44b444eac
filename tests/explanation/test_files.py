"""explanation.files: the files of a command line."""

from dataclasses import fields

from skinlesion.explanation import files


def test_a_folder_of_tables_alone_has_no_tiles(challenge, tmp_path):
    bare = files.Files(tmp_path / "train.csv", tmp_path, tmp_path, tmp_path)
    whole = files.Files(tmp_path / "train.csv", challenge / "train-image.hdf5", tmp_path, tmp_path)
    (tmp_path / "elsewhere").mkdir()
    empty = files.Files(tmp_path / "train.csv", tmp_path / "elsewhere", tmp_path, tmp_path)
    assert bare.store() is None
    assert whole.store().ids()
    assert empty.store().ids() == []


def test_each_file_is_an_option_of_its_name():
    names = [f.name for f in fields(files.Files)]
    assert names == ["train_metadata", "train_images", "experts", "features"]
