"""reporting.details: a file that lacks what the page shows is refused by name."""

import json

import pytest
from tests import report_files

from skinlesion.errors import InputError
from skinlesion.reporting import formats
from skinlesion.reporting.details import Details


def at(tree: dict, path: str) -> tuple[dict, str]:
    """The object that holds the last key of a path, and that key."""
    *way, last = path.split(".")
    for key in way:
        tree = tree[int(key) if key.isdigit() else key]
    return tree, last


@pytest.fixture
def file(tmp_path):
    """Write a changed details.json and read it."""

    def load(change) -> Details:
        found = report_files.details()
        change(found)
        path = tmp_path / "details.json"
        path.write_text(json.dumps(found))
        return formats.load(path, Details)

    return load


@pytest.mark.parametrize(
    "path",
    [
        "primary",
        "bootstrap.confidence",
        "calibrator.method",
        "sets",
        "sets.holdout",
        "sets.oof.n_crowded_patients",
        "sets.holdout.baseline",
        "sets.holdout.baseline.auc_difference",
        "sets.holdout.ranking.top_k_sensitivity",
        "sets.holdout.ranking.auc.low",
        "sets.holdout.calibration.before",
        "sets.holdout.calibration.after.brier_skill",
        "sets.holdout.operating_points.2.threshold",
        "sets.holdout.operating_points.2.per_1000.missed",
        "sets.holdout.subgroups.absent",
        "sets.holdout.subgroups.groups.1.too_few",
    ],
)
def test_a_missing_key_is_an_error_that_names_the_file_and_the_place(file, path):
    def remove(details):
        holder, key = at(details, path)
        del holder[key]

    with pytest.raises(InputError, match=r"details\.json: ") as error:
        file(remove)
    assert path.split(".")[-1] in str(error.value)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("primary", "test"),
        ("min_tpr", "0.8"),
        ("sets.holdout.n_lesions", 1.5),
        ("sets.holdout.ranking", [1, 2]),
        ("sets.holdout.ranking.auc.value", "high"),
        ("sets.holdout.operating_points", None),
    ],
)
def test_a_value_of_another_kind_is_an_error_that_names_its_place(file, path, value):
    def change(details):
        holder, key = at(details, path)
        holder[key] = value

    with pytest.raises(InputError, match=rf"details\.json: {path}"):
        file(change)
