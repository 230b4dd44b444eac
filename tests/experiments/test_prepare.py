"""experiments.prepare: a text that nobody can trust becomes one that may be posted."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.loopback_forge import GITLAB_API, MARK, serving

from skinlesion.errors import InputError
from skinlesion.experiments import prepare

ROOT = Path(__file__).parents[2]


# === The text ===


def test_a_report_of_our_own_is_posted_as_it_is():
    text = "## Report\n\n| a | b |\n`train@0` me@example.org\n"

    assert prepare.comment(text, from_fork=False) == text


def test_the_report_of_a_fork_is_said_to_be_one_before_all_else():
    assert prepare.comment("pAUC", from_fork=True) == f"{prepare.FROM_A_FORK}pAUC"


@pytest.mark.parametrize(
    "text",
    [
        "@everyone",
        "(@team/all)",
        "**@team**",
        "_@team_",
        "\\@team",
        "&#64;team",
        "&#x0040;team",
        "&commat;team",
    ],
)
def test_nobody_is_called_by_a_report(text):
    quiet = prepare.comment(text, from_fork=False)

    assert "@\u200b" in quiet
    assert "@t" not in quiet
    assert "@e" not in quiet
    assert "&" not in quiet


def test_a_long_report_is_cut_at_the_end_of_a_line_and_says_so():
    text = prepare.comment("| one | row |\n" * 10_000, from_fork=True)

    assert len(text) < 65_536 - len(MARK.format("a" * 40)) - 2
    assert text.endswith(f"| one | row |{prepare.CUT}")


def test_a_report_of_one_long_line_is_cut_too():
    text = prepare.comment("x" * 100_000, from_fork=True)

    assert 50_000 < len(text) < 65_000
    assert text.endswith(prepare.CUT)


@pytest.mark.parametrize(
    ("opening", "closing"),
    [("```mermaid\n", "\n```"), ("<details>\n\n", "\n\n</details>")],
)
def test_what_is_cut_off_in_the_middle_of_a_block_is_not_hidden_by_it(opening, closing):
    text = prepare.comment(opening + "line\n" * 20_000, from_fork=False)

    assert text.endswith(f"line{closing}{prepare.CUT}")


def test_at_signs_do_not_make_a_report_too_long_for_github():
    assert len(prepare.comment("@x" * 60_000, from_fork=True)) < 65_000


# === The file ===


def test_a_report_is_read_as_text_whatever_its_bytes_are(tmp_path):
    (tmp_path / "report.md").write_bytes(b"pAUC \xff 0.14")

    assert prepare.read(tmp_path / "report.md") == "pAUC � 0.14"


def test_no_more_is_read_than_a_megabyte(tmp_path):
    (tmp_path / "report.md").write_bytes(b"x" * (prepare.MAX_BYTES + 1))

    assert len(prepare.read(tmp_path / "report.md")) == prepare.MAX_BYTES


def test_a_link_is_not_followed_to_the_secrets_of_the_machine(tmp_path):
    (tmp_path / "secrets").write_text("token")
    (tmp_path / "report.md").symlink_to(tmp_path / "secrets")

    with pytest.raises(InputError, match=r"report\.md must be a file, and no link"):
        prepare.read(tmp_path / "report.md")


# === The command line, where nothing is installed ===


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-S", "-m", "skinlesion.experiments.prepare", *map(str, arguments)],
        cwd=ROOT,
        env={"PYTHONPATH": "src", "NO_PROXY": "127.0.0.1"} | environment,
        capture_output=True,
        text=True,
    )


def test_the_comment_is_written_and_its_target_printed(tmp_path):
    (tmp_path / "report.md").write_text("@all: pAUC")
    with serving() as forge:
        told = {
            "GITLAB_CI": "true",
            "CI_API_V4_URL": forge.address + GITLAB_API,
            "CI_PROJECT_ID": "7",
            "CI_MERGE_REQUEST_IID": "3",
            "GITLAB_TOKEN": "secret",
        }
        ran = run(tmp_path / "report.md", tmp_path / "comment.md", **told)

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "pr\n", "")
    assert (tmp_path / "comment.md").read_text() == "@\u200ball: pAUC"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "error: REPORT_MD and COMMENT_MD must be given.\n"),
        (["none.md", "comment.md"], 1, "error: none.md must be a file, and no link to one.\n"),
        (["README.md", "comment.md"], 1, "error: the environment must have GITHUB_API_URL, "),
    ],
)
def test_what_is_wrong_is_said_in_one_line(arguments, code, message):
    ran = run(*arguments)

    assert (ran.returncode, ran.stdout) == (code, "")
    assert ran.stderr.startswith(message)
    assert ran.stderr.count("\n") == 1
