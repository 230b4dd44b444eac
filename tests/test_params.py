"""skinlesion.params: a params file that the code cannot use is refused, by key, all at once."""

import functools
import operator
from collections.abc import Iterator
from pathlib import Path

import pytest
from dvc.utils import hydra
from pydantic import Field, ValidationError
from ruamel.yaml import YAML

from skinlesion import params
from skinlesion.dataset import metadata, partition
from skinlesion.errors import InputError
from skinlesion.evaluation import measurement
from skinlesion.features import tabular
from skinlesion.preparation import resample

ROOT = Path(__file__).parents[1]


class Rate(params.Block):
    rate: float = Field(ge=0, le=1)


class Turn(Rate):
    max_degrees: float = Field(gt=0, le=180)


class Augment(params.Block):
    flip: Rate
    turn: Turn


class Train(params.Block):
    n_epochs: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    early_stopping_patience: int | None = Field(ge=1)


AUGMENT = "augment:\n  flip: {rate: 0.5}\n  turn: {rate: 0, max_degrees: 15}\n"
TRAIN = "train:\n  n_epochs: 12\n  learning_rate: 1e-3\n  early_stopping_patience: null\n"
RESAMPLE = """resample:
  positive_repeats: 3
  negatives_per_positive: 15
  negative_fraction: 1.0
  max_negatives_per_patient: null
  n_planned_epochs: 20
  class_weights: none
  seed: 2
"""


@pytest.fixture
def load(tmp_path):
    """Load a block from the text of a params file."""

    def load(text: str, name: str = "train", block: type[params.Block] = Train) -> params.Block:
        path = tmp_path / "params.yaml"
        path.write_text(text)
        return params.load(name, block, path)

    return load


@pytest.fixture
def findings(load):
    """Load a block that must be refused; return its findings, one per line, without the path."""

    def findings(text: str, name: str = "train", block: type[params.Block] = Train) -> list[str]:
        with pytest.raises(params.ParamsError, match=r"params\.yaml: ") as refused:
            load(text, name, block)
        lines = [line.split(": ", maxsplit=1) for line in str(refused.value).splitlines()]
        assert all(Path(path).name == "params.yaml" for path, _ in lines)
        return [finding for _, finding in lines]

    return findings


def test_a_right_block_is_read_whatever_else_the_file_holds(load):
    p = load("other: [1]\n" + TRAIN)
    assert p == Train(n_epochs=12, learning_rate=0.001, early_stopping_patience=None)


# === The whole file ===


class Whole(params.Block):
    train: Train
    augment: Augment


def whole(tmp_path, text: str) -> Whole:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    return params.load_whole(Whole, path)


def test_the_whole_file_is_its_blocks(tmp_path):
    found = whole(tmp_path, AUGMENT + TRAIN)

    assert (found.augment.turn.max_degrees, found.train.n_epochs) == (15, 12)


def test_what_is_wrong_with_any_block_is_said_at_once(tmp_path):
    text = AUGMENT.replace("0.5", "2") + TRAIN.replace("12", "many") + "agument: {}\n"
    with pytest.raises(params.ParamsError) as refused:
        whole(tmp_path, text)
    path = tmp_path / "params.yaml"

    assert str(refused.value).splitlines() == [
        f"{path}: train.n_epochs must be a valid integer. Got 'many' instead.",
        f"{path}: augment.flip.rate must be less than or equal to 1. Got 2 instead.",
        f"{path}: agument is not a known key. Did you mean 'augment'?",
    ]


@pytest.mark.parametrize("train", ["", "train: 3\n", "train: []\n", "train:\n"])
def test_of_the_whole_file_a_block_that_is_none_is_named(tmp_path, train):
    with pytest.raises(params.ParamsError, match=r"params\.yaml: train (is missing|must be)"):
        whole(tmp_path, AUGMENT + train)


def test_a_date_that_does_not_exist_is_named_with_the_file(tmp_path):
    with pytest.raises(params.ParamsError, match=r"params\.yaml must be YAML\. month must be in"):
        whole(tmp_path, "train: {n_epochs: 2024-13-45}\n")


# === One block ===


def test_a_block_cannot_be_changed(load):
    with pytest.raises(ValidationError, match="frozen"):
        load(TRAIN).n_epochs = 3


@pytest.mark.parametrize("written", ["1e-3", "0.001", "1.0e-3"])
def test_a_float_may_be_written_with_an_exponent(load, written):
    assert load(TRAIN.replace("1e-3", written)).learning_rate == 0.001


def test_an_int_is_a_fine_float(load):
    assert load(TRAIN.replace("1e-3", "1")).learning_rate == 1.0


@pytest.mark.parametrize(("written", "patience"), [("null", None), ("~", None), ("3", 3)])
def test_a_key_that_may_be_null_may_be_null(load, written, patience):
    assert load(TRAIN.replace("null", written)).early_stopping_patience == patience


def test_a_key_that_may_be_null_may_not_be_left_out(findings):
    text = TRAIN.replace("  early_stopping_patience: null\n", "")
    assert findings(text) == ["train.early_stopping_patience is missing."]


@pytest.mark.parametrize("written", ["n_epoch", "nEpochs", "n-epochs", "N_EPOCHS_"])
def test_an_unknown_key_is_named(findings, written):
    found = findings(TRAIN + f"  {written}: 3\n")
    assert len(found) == 1
    assert found[0].startswith(f"train.{written} is not a known key.")


@pytest.mark.parametrize("written", ["n_epoch", "nEpochs", "n-epochs"])
def test_for_an_unknown_key_the_nearest_is_suggested(findings, written):
    assert findings(TRAIN + f"  {written}: 3\n")[0].endswith("Did you mean 'n_epochs'?")


def test_nothing_is_suggested_where_nothing_is_near(findings):
    assert findings(TRAIN + "  zzz: 3\n") == ["train.zzz is not a known key."]


@pytest.mark.parametrize(
    ("right", "wrong", "key", "expected", "got"),
    [
        ("12", "'12'", "n_epochs", "integer", "'12'"),
        ("12", "true", "n_epochs", "integer", "True"),
        ("12", "12.0", "n_epochs", "integer", "12.0"),
        ("12", "null", "n_epochs", "integer", "None"),
        ("12", "[12]", "n_epochs", "integer", r"\[12\]"),
        ("12", "0", "n_epochs", "greater than or equal to 1", "0"),
        ("1e-3", "'1e-3'", "learning_rate", "number", "'1e-3'"),
        ("1e-3", "yes", "learning_rate", "number", "'yes'"),
        ("1e-3", "true", "learning_rate", "number", "True"),
        ("1e-3", "0", "learning_rate", "greater than 0", "0"),
        ("1e-3", ".nan", "learning_rate", "finite", "nan"),
        ("1e-3", ".inf", "learning_rate", "finite", "inf"),
        ("null", "never", "early_stopping_patience", "integer", "'never'"),
        ("null", "0", "early_stopping_patience", "greater than or equal to 1", "0"),
    ],
)
def test_a_wrong_value_is_named_with_its_key_and_what_was_expected(
    load, right, wrong, key, expected, got
):
    said = rf"params\.yaml: train\.{key} must be .*{expected}.*\. Got {got} instead\.$"
    with pytest.raises(params.ParamsError, match=said):
        load(TRAIN.replace(right, wrong))


def test_all_findings_are_reported_at_once(findings):
    found = findings("train:\n  n_epoch: 3\n  learning_rate: fast\n  early_stopping_patience: 0\n")
    keys = [finding.split()[0] for finding in found]
    assert sorted(keys) == [
        "train.early_stopping_patience",
        "train.learning_rate",
        "train.n_epoch",
        "train.n_epochs",
    ]


def test_an_absent_block_is_named(load):
    with pytest.raises(params.ParamsError, match=r"params\.yaml: train must be a block .*Got None"):
        load(AUGMENT)


@pytest.mark.parametrize("written", ["", "# only a comment\n"])
def test_an_empty_file_lacks_the_block(load, written):
    with pytest.raises(params.ParamsError, match=r"params\.yaml: train must be a block"):
        load(written)


def test_a_block_that_is_a_value_is_refused(load):
    with pytest.raises(params.ParamsError, match=r"train must be a block of keys\. Got 3 instead"):
        load("train: 3\n")


@pytest.mark.parametrize("written", ["- train\n", "train\n", "3\n"])
def test_a_file_without_blocks_is_refused(load, written):
    with pytest.raises(params.ParamsError, match=r"params\.yaml must hold blocks of keys\. Got"):
        load(written)


def test_an_absent_file_is_named(tmp_path):
    path = tmp_path / "params.yaml"
    with pytest.raises(params.ParamsError, match=rf"{path} must be a params file\. There is none"):
        params.load("train", Train, path)


def test_a_folder_is_no_params_file(tmp_path):
    with pytest.raises(params.ParamsError, match=rf"{tmp_path} must be a params file\."):
        params.load("train", Train, tmp_path)


@pytest.mark.parametrize("written", ["train: [\n", TRAIN + "  n_epochs: 3\n", "a: \x07\n"])
def test_a_file_that_is_not_yaml_is_named(load, written):
    with pytest.raises(params.ParamsError, match=r"params\.yaml must be YAML\."):
        load(written)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_bytes(b"train: \xe9\xe9\n")
    with pytest.raises(params.ParamsError, match=rf"{path} must be YAML"):
        params.load("train", Train, path)


@pytest.mark.parametrize(
    ("right", "wrong", "finding"),
    [
        ("0.5", "1.5", "augment.flip.rate must be less than or equal to 1. Got 1.5 instead."),
        ("15", "'15'", "augment.turn.max_degrees must be a valid number. Got '15' instead."),
        (", max_degrees: 15", "", "augment.turn.max_degrees is missing."),
        (
            "max_degrees: 15",
            "max_degrees: 15, max_degree: 3",
            "augment.turn.max_degree is not a known key. Did you mean 'max_degrees'?",
        ),
        (
            "flip: {rate: 0.5}",
            "flip: {rate: 0.5, Rate: 1}",
            "augment.flip.Rate is not a known key. Did you mean 'rate'?",
        ),
    ],
)
def test_in_a_nested_block_the_whole_key_is_named(findings, right, wrong, finding):
    assert findings(AUGMENT.replace(right, wrong), "augment", Augment) == [finding]


@pytest.mark.parametrize(
    ("written", "weights"),
    [
        ("none", "none"),
        ("balanced", "balanced"),
        ("[1, 20]", [1.0, 20.0]),
        ("[0.5, 1e1]", [0.5, 10.0]),
    ],
)
def test_a_key_may_be_a_word_or_two_numbers(load, written, weights):
    p = load(RESAMPLE.replace(": none", f": {written}"), "resample", resample.Params)
    assert p.class_weights == weights


@pytest.mark.parametrize(
    "written", ["heavy", "null", "3", "[1]", "[1, 2, 3]", "[0, 1]", "[a, 1]", "[1, .inf]", "{}"]
)
def test_a_wrong_word_or_number_is_refused_by_its_key(findings, written):
    found = findings(RESAMPLE.replace(": none", f": {written}"), "resample", resample.Params)
    keys = {finding.split()[0] for finding in found}
    assert keys <= {f"resample.class_weights{end}" for end in ("", ".0", ".1")}
    assert "resample.class_weights must be 'none' or 'balanced'." in found[0]


def test_what_concerns_a_whole_block_names_the_block(findings):
    text = RESAMPLE.replace("negative_fraction: 1.0", "negative_fraction: 0.5")
    (found,) = findings(text, "resample", resample.Params)
    assert found.startswith(
        "resample must be a block that sets negatives_per_positive or negative_fraction < 1. Got {"
    )


def test_what_is_not_near_is_not_suggested():
    assert params.nearest("sexx", ["age", "sex"]) == " Did you mean 'sex'?"
    assert params.nearest("zzz", ["age", "sex"]) == ""


def test_an_error_in_params_is_an_input_error():
    assert issubclass(params.ParamsError, InputError)


@pytest.mark.parametrize(
    ("name", "block"),
    [
        ("data", metadata.Params),
        ("split", partition.Params),
        ("resample", resample.Params),
        ("encode", tabular.Params),
        ("evaluate", measurement.Params),
    ],
)
def test_the_blocks_of_the_project_are_right(name, block):
    assert isinstance(params.load(name, block, ROOT / "params.yaml"), block)


# === What DVC writes into the file ===


def lists(block: dict, *above: str) -> Iterator[tuple[list[str], list]]:
    """Each list of params, with the keys that lead to it."""
    for key, value in block.items():
        if isinstance(value, dict):
            yield from lists(value, *above, key)
        elif isinstance(value, list):
            yield [*above, key], value


def test_dvc_changes_a_list_again_and_again_and_nothing_else(tmp_path):
    # ruamel.yaml, with which DVC writes, lost the end of a line behind a list that was emptied
    # and had a comment on the line of its key.
    file, given = tmp_path / "params.yaml", (ROOT / "params.yaml").read_text()
    for keys, first in lists(YAML(typ="safe").load(given)):
        file.write_text(given)
        expected = YAML(typ="safe").load(given)
        for value in (first, [], ["a", "b"], [], ["a"], first):
            hydra.apply_overrides(file, [f"{'.'.join(keys)}=[{','.join(map(str, value))}]"])
            functools.reduce(operator.getitem, keys[:-1], expected)[keys[-1]] = value

            assert YAML(typ="safe").load(file.read_text()) == expected


# === A block as a JSON file ===


class Found(params.Block):
    auc: float


def test_what_was_written_is_read_again(tmp_path):
    (tmp_path / "found.json").write_text(Found(auc=0.75).model_dump_json())

    assert params.load_json(tmp_path / "found.json", Found, "a finding") == Found(auc=0.75)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"auc": "high"}', b'{"auc": 1, "n": 2}', b"\xff"]
)
def test_a_file_that_is_no_such_block_is_named_with_what_it_must_be(tmp_path, content):
    (tmp_path / "found.json").write_bytes(content)

    with pytest.raises(InputError, match=r"found\.json must be a finding\. "):
        params.load_json(tmp_path / "found.json", Found, "a finding")


def test_a_json_file_that_is_absent_is_named(tmp_path):
    with pytest.raises(InputError, match=r"found\.json must be a finding\. .*No such file"):
        params.load_json(tmp_path / "found.json", Found, "a finding")
