"""experiments: every kept set of settings still fits params.yaml and the code that reads it."""

import re
import shutil

import pytest
from dvc.utils.hydra import apply_overrides
from tests.test_pipeline import BLOCKS, PARAMS, ROOT

from skinlesion import params
from skinlesion.dataset import metadata

FILES = {path.name: path for path in sorted((ROOT / "experiments").glob("*.txt"))}
ARGUMENT = re.compile(r"-S (?P<key>[a-z_]+(\.[a-z_]+)+)=(?P<value>[\w.,\[\]/-]+)")
COMMAND = "dvc exp run $(grep -v '^#' experiments/"
# What a model must not see: who a lesion belongs to, which clinic it comes from, and a column
# of one value.
NOT_A_FEATURE = {"isic_id", "patient_id", "attribution", "copyright_license", "image_type"}


def lines(name: str) -> list[str]:
    return FILES[name].read_text().splitlines()


def overrides(name: str) -> list[str]:
    """What `grep -v '^#'` leaves, split as the shell splits it, without the `-S`."""
    words = " ".join(line for line in lines(name) if not line.startswith("#")).split()
    assert words[::2] == ["-S"] * (len(words) // 2)
    return words[1::2]


@pytest.fixture
def applied(tmp_path):
    """Load all blocks after DVC has applied a set of settings, and others behind it."""

    def applied(name: str, *others: str) -> dict[str, params.Block]:
        path = tmp_path / "params.yaml"
        shutil.copy(ROOT / "params.yaml", path)
        apply_overrides(path, [*overrides(name), *others])
        return {block: params.load(block, of, path) for block, of in BLOCKS.items()}

    return applied


def test_there_are_settings_for_the_full_size():
    assert "slice-3d.txt" in FILES


@pytest.mark.parametrize("name", FILES)
def test_every_line_is_one_setting_that_needs_no_quotes_or_a_reason(name):
    for line in lines(name):
        assert not line or line.startswith("#") or ARGUMENT.fullmatch(line), line


@pytest.mark.parametrize("name", FILES)
def test_every_setting_stands_under_its_reason(name):
    above = "#"
    for line in lines(name):
        assert not line.startswith("-S") or above.startswith("# "), line
        above = line


@pytest.mark.parametrize("name", FILES)
def test_no_setting_occurs_twice(name):
    names = [override.split("=")[0] for override in overrides(name)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", FILES)
def test_every_setting_is_a_key_of_params_yaml(name):
    for override in overrides(name):
        key = override.split("=")[0]
        place = PARAMS
        for part in key.split("."):
            assert part in place, key
            place = place[part]


@pytest.mark.parametrize("name", FILES)
def test_every_setting_is_accepted_by_the_class_of_its_block(name, applied):
    assert applied(name).keys() == BLOCKS.keys()


@pytest.mark.parametrize("name", FILES)
def test_what_is_added_behind_counts_more(name, applied):
    assert applied(name, "train.n_epochs=2")["train"].n_epochs == 2


@pytest.mark.parametrize("name", FILES)
def test_the_file_says_how_it_is_used(name):
    assert f"#     {COMMAND}{name})" in lines(name)


# === The full size ===


def test_the_full_size_uses_every_column_that_may_be_a_feature(applied):
    encode = applied("slice-3d.txt")["encode"]
    usable = {*metadata.NUMERIC, *metadata.TEXT} - {*metadata.TRAIN_ONLY} - NOT_A_FEATURE
    assert sorted(encode.numeric + encode.categorical) == sorted(usable)
    assert set(encode.numeric) <= set(metadata.NUMERIC)
    assert set(encode.categorical) <= set(metadata.TEXT)


def test_the_full_size_trains_every_fold_and_shows_other_negatives_each_epoch(applied):
    p = applied("slice-3d.txt")
    assert p["split"].train_folds == list(range(p["split"].n_folds))
    assert p["resample"].n_planned_epochs == p["train"].n_epochs


def test_the_guide_to_the_real_data_names_only_files_that_exist():
    guide = (ROOT / "docs" / "real-data.md").read_text()
    named = set(re.findall(r"(?:experiments|stages)/[\w-]+\.\w+", guide))
    assert "experiments/slice-3d.txt" in named
    assert all((ROOT / path).exists() for path in named)
