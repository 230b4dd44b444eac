"""experiments.pull_request_commands: what they write, and one line for what is wrong."""

import pytest
from tests import command_line

from skinlesion.experiments import gate

pytest_plugins = ["tests.clones"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder, as the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> int:
    return command_line.run("pull-request", *words)


def test_a_base_that_is_not_there_is_one_line(clone, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(clone)
    code = run("report", "--base", "nowhere", str(tmp_path))
    shown = capsys.readouterr().err

    assert code == 1
    assert shown.startswith("error: nowhere must be a branch or commit that this clone holds")
    assert shown.count("\n") == 1


def test_links_are_changed_in_place(folder):
    (folder / "report.md").write_text("[a.png](a.png)")
    code = run("link", "report.md", "report.html=", "*.png=https://x.org/{name}")

    assert code == 0
    assert (folder / "report.md").read_text() == "[a.png](https://x.org/a.png)"


def test_the_gate_is_not_passed_with_an_objection_and_says_the_verdict_without(folder, capsys):
    gate.write(folder, "not passed", ["The pAUC fell.", "Not on the remote."])
    assert run("gate", ".") == 1
    assert capsys.readouterr().err == (
        "error: this pull request does not pass.\nThe pAUC fell.\nNot on the remote.\n"
    )

    gate.write(folder, "passed, as far as it could look", [])
    assert run("gate", ".") == 0
    assert capsys.readouterr().out == "gate: passed, as far as it could look\n"


def test_a_comment_is_prepared_by_the_same_code_as_where_nothing_is_installed(folder, capsys):
    assert run("prepare", "report.md", "comment.md") == 1
    assert capsys.readouterr().err == "error: report.md must be a file, and no link to one.\n"
