"""evaluation.runs: the scores of a run, wherever it keeps them."""

import io
from pathlib import Path

import dvc.api
import pytest
from dvc.exceptions import FileMissingError
from dvc_data.index import DataIndexDirError
from scmrepo.exceptions import RevError
from tests.evaluation.test_comparison import scored

from skinlesion.errors import InputError
from skinlesion.evaluation import runs

SCORES = Path("predictions/holdout.csv")


def test_scores_are_read_from_a_file(tmp_path):
    path = tmp_path / "holdout.csv"
    scored(0).assign(fold=-1).to_csv(path, index=False)
    found = runs.read(str(path), SCORES)
    assert found.columns.tolist() == ["isic_id", "patient_id", "target", "score", "fold"]
    assert len(found) == 300


def test_scores_are_read_from_a_revision(monkeypatch):
    text = scored(0).to_csv(index=False)
    asked = []

    def opened(path, *, repo, rev, encoding):
        asked.append((path, repo, rev))
        return io.StringIO(text)

    monkeypatch.setattr(dvc.api, "open", opened)
    assert len(runs.read("main", SCORES)) == 300
    assert asked == [("predictions/holdout.csv", None, "main")]


def test_an_experiment_in_a_temporary_folder_asks_the_repository_it_was_made_from(
    monkeypatch, tmp_path
):
    """Its own repository knows no other experiment."""
    folder = tmp_path / "project/.dvc/tmp/exps/tmpabc"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    asked = []

    def opened(path, *, repo, rev, encoding):
        asked.append(repo)
        return io.StringIO(scored(0).to_csv(index=False))

    monkeypatch.setattr(dvc.api, "open", opened)
    runs.read("patients", SCORES)
    assert asked == [str(tmp_path / "project")]


def test_the_members_scores_are_read_too(tmp_path):
    path = tmp_path / "oof.csv"
    scored(0).assign(fold=1, member_table=0.5, probability=0.1).to_csv(path, index=False)
    assert runs.read(str(path), SCORES).columns[4:].tolist() == ["fold", "member_table"]


@pytest.mark.parametrize(
    "error", [RevError("x"), FileMissingError("x"), DataIndexDirError("x"), OSError("x")]
)
def test_a_revision_whose_scores_cannot_be_had_is_refused_by_name(monkeypatch, error):
    def refused(*args, **kwargs):
        raise error

    monkeypatch.setattr(dvc.api, "open", refused)
    with pytest.raises(InputError, match="no-such-run must be a file of scores, or a revision"):
        runs.read("no-such-run", SCORES)


def test_a_revision_whose_scores_lack_a_column_is_refused(monkeypatch):
    text = scored(0).drop(columns="score").to_csv(index=False)
    monkeypatch.setattr(dvc.api, "open", lambda *args, **kwargs: io.StringIO(text))
    with pytest.raises(InputError, match=r"holdout\.csv of main must have the columns"):
        runs.read("main", SCORES)


@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        ("score", "inf", "a score that is a finite number"),
        ("score", "high", "a score that is a finite number"),
        ("target", "benign", "a target of 0 or 1"),
        ("target", "2", "a target of 0 or 1"),
        ("target", "", "a target of 0 or 1"),
        ("patient_id", "", "a patient_id"),
        ("isic_id", "ISIC_0000000", "one row"),
    ],
)
def test_a_row_that_cannot_be_compared_is_named_with_its_file(tmp_path, column, value, what):
    path, table = tmp_path / "holdout.csv", scored(0).astype(object)
    table.loc[7, column] = value
    table.to_csv(path, index=False)
    isic_id = value if column == "isic_id" else "ISIC_0000007"
    with pytest.raises(InputError, match=rf"{path} must give each lesion {what}\. Got {isic_id} "):
        runs.read(str(path), SCORES)


def test_a_row_without_isic_id_is_told_by_its_number(tmp_path):
    path, table = tmp_path / "holdout.csv", scored(0)
    table.loc[7, "isic_id"] = None
    table.to_csv(path, index=False)
    with pytest.raises(InputError, match=rf"{path} must name each lesion\. Row 8 has no isic_id"):
        runs.read(str(path), SCORES)
