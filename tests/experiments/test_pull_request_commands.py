"""experiments.pull_request_commands: one line per error, and help without waiting for packages."""

import json
import subprocess
import sys

import pytest
from tests import two_commits

pytest_plugins = ["tests.clones"]

MODULE = "skinlesion.experiments.pull_request_commands"


def run(folder, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder: in a process of its own, as people do."""
    return subprocess.run(
        [sys.executable, "-m", MODULE, *map(str, arguments)],
        cwd=folder,
        env=two_commits.environment(two_commits.ROOT) | {"COLUMNS": "100"},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("command", ["report", "link", "gate", "prepare"])
def test_each_command_shows_an_example_of_itself(tmp_path, command):
    ran = run(tmp_path, command, "--help")

    assert ran.returncode == 0
    assert f"Example: skinlesion pull-request {command} " in ran.stdout


def test_the_commands_are_known_before_what_they_need_is_imported():
    heavy = "{'pandas', 'numpy', 'dvc', 'pydantic', 'vl_convert'}"
    code = f"import sys, {MODULE}; print(sorted({heavy} & sys.modules.keys()))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert ran.stdout == "[]\n", ran.stderr


@pytest.mark.parametrize("arguments", [[], ["report", "x"], ["gate"], ["link", "x"], ["nothing"]])
def test_a_command_line_that_cannot_be_read_ends_with_2_and_no_traceback(tmp_path, arguments):
    ran = run(tmp_path, *arguments)

    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr


def test_a_base_that_is_not_there_is_one_line(clone, tmp_path):
    ran = run(clone, "report", "--base", "nowhere", tmp_path)

    assert ran.returncode == 1
    assert ran.stderr.startswith("error: nowhere must be a branch or commit that this clone holds")
    assert ran.stderr.count("\n") == 1


def test_links_are_changed_in_place(tmp_path):
    (tmp_path / "report.md").write_text("[a.png](a.png)")
    ran = run(tmp_path, "link", "report.md", "report.html=", "*.png=https://x.org/{name}")

    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "report.md").read_text() == "[a.png](https://x.org/a.png)"


def judged(folder, verdict: str, *objections: str) -> None:
    text = json.dumps({"verdict": verdict, "objections": objections})
    (folder / "gate.json").write_text(text)


def test_the_gate_says_how_far_it_could_look(tmp_path):
    judged(tmp_path, "passed, as far as it could look")
    ran = run(tmp_path, "gate", ".")

    assert (ran.returncode, ran.stdout) == (0, "gate: passed, as far as it could look\n")


def test_the_gate_is_not_passed_with_an_objection(tmp_path):
    judged(tmp_path, "not passed", "The pAUC fell.", "Not on the remote.")
    ran = run(tmp_path, "gate", ".")

    assert ran.returncode == 1
    assert ran.stderr == (
        "error: this pull request does not pass.\nThe pAUC fell.\nNot on the remote.\n"
    )


@pytest.mark.parametrize("text", [None, "{", "[]", '{"verdict": "passed"}'])
def test_the_gate_is_not_passed_without_a_report(tmp_path, text):
    if text is not None:
        (tmp_path / "gate.json").write_text(text)
    ran = run(tmp_path, "gate", ".")

    assert ran.returncode == 1
    assert "error: . must hold the gate.json of a report." in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_comment_is_prepared_by_the_same_code_as_where_nothing_is_installed(tmp_path):
    ran = run(tmp_path, "prepare", "report.md", "comment.md")

    assert ran.returncode == 1
    assert ran.stderr == "error: report.md must be a file, and no link to one.\n"
