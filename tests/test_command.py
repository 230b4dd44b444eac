"""command: a function's parameters are its command line; a user's mistake is one line."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from skinlesion import command, errors


@dataclass(frozen=True)
class Files:
    folds: Path
    train_metadata: Path


def stage(fold: int, files: Files, *, out: Path) -> None:
    print(fold, files.folds, files.train_metadata, out)


def run(monkeypatch, main, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["stages/stage.py", *words])
    try:
        command.run(main)
    except SystemExit as stopped:
        return stopped.code
    return 0


GIVEN = ("0", "--folds", "f.csv", "--train-metadata", "my data.csv", "--out", "-o")


def test_arguments_options_and_the_fields_of_a_record_reach_the_function(monkeypatch, capsys):
    assert run(monkeypatch, stage, *GIVEN) == 0
    assert capsys.readouterr().out == "0 f.csv my data.csv -o\n"


def test_help_is_the_docstring_of_the_module_and_names_every_option(monkeypatch, capsys):
    assert run(monkeypatch, stage, "--help") == 0
    shown = capsys.readouterr().out
    assert "a function's parameters are its command line" in shown
    assert all(option in shown for option in ("--folds", "--train-metadata", "--out", "FOLD"))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), "Missing argument 'FOLD'."),
        (GIVEN[:-2], "Missing option '--out'."),
        (("one", *GIVEN[1:]), "'one' is not a valid integer."),
        ((*GIVEN, "--fold", "1"), "No such option '--fold'."),
        ((*GIVEN, "more"), "unexpected extra argument (more)"),
    ],
)
def test_a_command_line_that_cannot_be_read_is_one_line_and_code_2(
    monkeypatch, capsys, words, expected
):
    assert run(monkeypatch, stage, *words) == 2
    shown = capsys.readouterr().err
    assert expected in shown
    assert shown.startswith("error: ")
    assert shown.endswith("See stage.py --help.\n")
    assert shown.count("\n") == 1


def raising(error: BaseException):
    def main() -> None:
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (errors.InputError("a.csv must be a table. It is empty."), 1, "a.csv must be a table."),
        (FileNotFoundError(2, "No such file or directory", "a/b"), 1, "a/b: No such file or direc"),
        (OSError(28, "No space left on device", b"a/b"), 1, "a/b: No space left on device"),
        (OSError("unable to write: no space"), 1, "unable to write: no space"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (click.Abort(), 130, "interrupted"),
    ],
)
def test_what_a_user_can_mend_is_one_line(monkeypatch, capsys, error, code, line):
    assert run(monkeypatch, raising(error)) == code
    shown = capsys.readouterr()
    assert shown.err.strip().startswith(f"error: {line}")
    assert shown.err.strip().count("\n") == 0
    assert shown.out == ""


def test_a_defect_of_ours_is_not_caught(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["stage.py"])
    with pytest.raises(ValueError, match="a defect") as raised:
        command.run(raising(ValueError("a defect")))
    assert not isinstance(raised.value, errors.InputError)


def test_a_reader_that_has_seen_enough_gets_no_message(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from skinlesion import command\n"
        "def main() -> None:\n"
        "    for i in range(100_000):\n"
        "        print(i)\n"
        "command.run(main)\n"
    )
    line = f"{sys.executable} {script} | head --lines 1"
    ran = subprocess.run(line, shell=True, capture_output=True, text=True)

    assert (ran.stdout, ran.stderr) == ("0\n", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is full")
@pytest.mark.parametrize("n_lines", [1, 100_000])  # written at the end, and before
def test_output_to_a_full_disk_is_one_line_and_code_1(tmp_path, n_lines):
    script = tmp_path / "script.py"
    script.write_text(
        "from skinlesion import command\n"
        "def main() -> None:\n"
        f"    for i in range({n_lines}):\n"
        "        print(i)\n"
        "command.run(main)\n"
    )
    env = os.environ | {"PYTHONUNBUFFERED": ""}
    with open("/dev/full", "w") as full:
        line = [sys.executable, script]
        ran = subprocess.run(line, stdout=full, stderr=subprocess.PIPE, text=True, env=env)

    assert ran.returncode == 1
    assert ran.stderr == "error: [Errno 28] No space left on device\n"
