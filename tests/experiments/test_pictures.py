"""experiments.pictures: the curves of two commits side by side, and never a tile."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests import two_commits

from skinlesion.errors import InputError
from skinlesion.experiments import checkout, pictures

pytest_plugins = ["tests.clones"]


def coloured(png: Path) -> tuple[int, int]:
    """How many points of a picture have the violet of before, and the blue of after."""
    red, green, blue = np.moveaxis(np.array(Image.open(png).convert("RGB"), int), -1, 0)
    violet = (red > 1.2 * green) & (blue > 1.2 * red)
    return int(violet.sum()), int(((green > 1.5 * red) & (blue > green)).sum())


def test_a_remote_that_cannot_be_used_is_an_error_in_the_words_of_dvc(own, pair):
    (own / ".dvc/config.local").write_text("['remote \"team\"']\n    url = hdfs://nowhere/x\n")

    with pytest.raises(InputError, match=r"must be one that can be read\. .*dvc-hdfs"):
        pictures.fetch(*pair, own)


@pytest.fixture(scope="module")
def drawn(clone, pair, tmp_path_factory):
    """The curves twice, each time in a folder of its own."""
    pictures.fetch(*pair, clone)
    folders = [tmp_path_factory.mktemp("drawn") for _ in range(2)]
    return [(folder, pictures.draw(*pair, folder, clone)) for folder in folders]


def test_each_curve_is_a_picture_of_both_commits(drawn):
    folder, (files, absent) = drawn[0]

    assert files == ["roc-curve.png", "loss-by-epoch-fold-0.png"]
    assert absent == []
    for name in files:
        before, after = coloured(folder / name)
        assert min(before, after) > 1_000


def test_a_curve_that_is_new_has_the_colour_of_after(own, pair, tmp_path):
    two_commits.edit(own, "dvc.yaml", "ROC curve", "Of the receiver")
    two_commits.commit(own, "renamed")
    (tmp_path / "drawn").mkdir()
    pictures.draw(pair[0], checkout.commits("HEAD", own)[1], tmp_path / "drawn", own)
    before, after = coloured(tmp_path / "drawn/of-the-receiver.png")

    assert after > 4 * before > 0  # both are in the legend


def test_a_picture_in_the_plots_may_show_a_tile_and_is_left_out(clone, drawn):
    assert (clone / "metrics/plots/tile.png").exists()
    assert not any("tile" in path.name for path in drawn[0][0].iterdir())


def test_the_same_commits_give_the_same_bytes(drawn):
    (one, files), (other, files_again) = drawn

    assert files == files_again
    assert all((one / name).read_bytes() == (other / name).read_bytes() for name in files[0])


def test_a_curve_whose_data_is_not_here_is_named_and_the_others_are_drawn(own, pair, tmp_path):
    shutil.rmtree(own / ".dvc/cache", ignore_errors=True)
    (own / ".dvc/config.local").unlink()
    files, absent = pictures.draw(*pair, tmp_path, own)

    assert files == ["roc-curve.png"]
    assert absent == ["Loss by epoch (fold 0): its data (after and before) is not here"]
