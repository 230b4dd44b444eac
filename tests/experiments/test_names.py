"""experiments.names: names of combinations that can be read, and that git takes."""

import subprocess
from pathlib import Path

import pytest
from dvc.utils.flatten import flatten
from ruamel.yaml import YAML

from skinlesion.errors import InputError
from skinlesion.experiments import names

ROOT = Path(__file__).parents[2]
KNOWN = list(flatten(YAML(typ="safe").load(ROOT / "params.yaml")))
GRID = ["augment.cutout.rate=0.0,0.5", "resample.negatives_per_positive=3,10"]


def test_a_name_says_what_is_set():
    assert list(names.named(GRID, KNOWN)) == [
        "cutout-rate-0_resample-negatives-per-positive-3",
        "cutout-rate-0_resample-negatives-per-positive-10",
        "cutout-rate-0.5_resample-negatives-per-positive-3",
        "cutout-rate-0.5_resample-negatives-per-positive-10",
    ]


def test_each_name_leads_to_the_overrides_that_it_says():
    assert names.named(GRID, KNOWN)["cutout-rate-0.5_resample-negatives-per-positive-10"] == [
        "augment.cutout.rate=0.5",
        "resample.negatives_per_positive=10",
    ]


def test_no_two_params_are_called_the_same():
    shorts = [names.short(key, KNOWN).replace(".", "-") for key in KNOWN]

    assert len(set(shorts)) == len(KNOWN)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("augment.cutout.rate", "cutout.rate"),  # ten rates
        ("train.batch_size", "train.batch_size"),  # two batch sizes
        ("train.learning_rate", "train.learning_rate"),  # so has the table expert
        ("split.seed", "split.seed"),
    ],
)
def test_a_key_is_as_short_as_it_can_be_told_from_all_others(key, expected):
    assert names.short(key, KNOWN) == expected
    assert names.short(key, KNOWN[::-1]) == expected


def test_a_key_that_ends_another_keeps_its_whole_name():
    assert names.short("rate", ["rate", "hue.rate"]) == "rate"
    assert names.short("hue.rate", ["rate", "hue.rate"]) == "hue.rate"


def test_names_do_not_depend_on_the_order_of_the_overrides():
    assert set(names.named(GRID, KNOWN)) == set(names.named(GRID[::-1], KNOWN))


def test_equal_numbers_have_equal_names():
    found = {*names.named(["train.weight_decay=0"], KNOWN)}

    assert found == {*names.named(["train.weight_decay=0.0"], KNOWN)} == {"weight-decay-0"}


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("split.train_folds=[0,1]", ["train-folds-0-1"]),  # one value, no grid
        ("split.train_folds=[0],[1,2]", ["train-folds-0", "train-folds-1-2"]),
        ("split.train_folds=[]", ["train-folds-empty"]),
        ("split.n_folds=range(2,5)", ["split-n-folds-2", "split-n-folds-3", "split-n-folds-4"]),
        (
            "train.learning_rate=1e-3,1e-5",
            ["train-learning-rate-0.001", "train-learning-rate-1e-05"],
        ),
        ("augment.hue.max_change=-0.1,0.1", ["hue-max-change--0.1", "hue-max-change-0.1"]),
        ("predict.strict=true,false", ["strict-true", "strict-false"]),
        ("predict.strict=1,0", ["strict-1", "strict-0"]),
        ("resample.negatives_per_positive=null,1", ["resample-negatives-per-positive-null"]),
        ("data.raw=data/raw/isic-2024", ["raw-data-raw-isic-2024"]),
        ("model.backbone=efficientnetv2_b0", ["backbone-efficientnetv2-b0"]),
    ],
)
def test_values_are_expanded_as_dvc_does(override, expected):
    assert list(names.named([override], KNOWN))[: len(expected)] == expected


@pytest.mark.parametrize(
    "value", ["..", "a.lock", "'a b'", "'~^:?*[ '", "@", "'x@{y'", "/a//b/", ".a", "'é'"]
)
def test_every_name_is_a_valid_git_ref(value):
    (name,) = names.named([f"data.raw={value}"], KNOWN, prefix=".my/sweep.")
    ran = subprocess.run(["git", "check-ref-format", f"refs/exps/aa/{'b' * 38}/{name}"])

    assert ran.returncode == 0
    assert "/" not in name
    assert not name.startswith("-")


def test_a_name_too_long_for_a_file_is_cut_and_still_its_own():
    columns = ",".join(f"tbp_lv_column_{i}" for i in range(30))
    grid = [f"encode.numeric=[{columns},a],[{columns},b]"]
    found = list(names.named(grid, KNOWN))

    assert len(set(found)) == 2
    assert max(map(len, found)) < 200
    assert found == list(names.named(grid, KNOWN))


def test_a_prefix_comes_first():
    assert all(name.startswith("cutout_") for name in names.named(GRID, KNOWN, prefix="cutout"))


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("augment.cutout.rat=1", r"no augment\.cutout\.rat\. Did you mean 'augment\.cutout\.rate'"),
        ("augment.cutout={rate:1}", "There is no augment.cutout"),
        ("+train.more=1", r"There is no \+train\.more"),
        ("~train.seed", r"There is no ~train\.seed"),
        ("train.seed", "must be KEY=VALUES"),
        ("train.seed=1,,2", "must be KEY=VALUES"),
        ("train.seed=interval(0,1)", "must be KEY=VALUES"),
        ("train.seed=glob(*)", "must be KEY=VALUES"),
        ("train.seed=1,1", "name of its own. Got train-seed-1 twice"),
    ],
)
def test_a_grid_that_cannot_be_named_is_an_error(override, expected):
    with pytest.raises(InputError, match=expected):
        names.named([override], KNOWN)
