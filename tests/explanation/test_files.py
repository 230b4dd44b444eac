"""explanation.files: the files of a command line."""

from dataclasses import fields

from skinlesion.explanation import files


def test_each_file_is_an_option_of_its_name():
    names = [f.name for f in fields(files.Files)]
    assert names == ["train_metadata", "train_images", "experts", "features"]
