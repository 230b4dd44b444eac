"""cli: `skinlesion`, its help, and one line for whatever goes wrong."""

import importlib.metadata
import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from tests import command_line

from skinlesion import cli

ROOT = Path(__file__).parents[1]
COMMANDS = [
    ("score",),
    ("serve",),
    ("pack",),
    ("summary",),
    ("checklists",),
    ("train-process",),
    ("compare",),
    ("experiments",),
    ("clinics",),
    ("sweep", "queue"),
    ("sweep", "table"),
    ("sweep", "plot"),
    ("pull-request", "report"),
    ("pull-request", "link"),
    ("pull-request", "gate"),
    ("pull-request", "prepare"),
]
SLOW = {"tensorflow", "keras", "pandas", "numpy", "dvc", "matplotlib", "h5py", "jinja2"}


def commands(group, *above: str) -> set[tuple[str, ...]]:
    """All commands of a Typer, as the words that call them."""
    found = {(*above, c.name or c.callback.__name__) for c in group.registered_commands}
    for of in group.registered_groups:
        found |= commands(of.typer_instance, *above, *([of.name] if of.name else []))
    return {tuple(word.replace("_", "-") for word in words) for words in found}


def test_the_list_of_commands_here_is_complete():
    assert commands(cli.app) == set(COMMANDS)


def test_the_project_installs_the_command():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["scripts"] == {"skinlesion": "skinlesion.cli:main"}


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_the_help_of_every_command_shows_an_example(words, capsys):
    assert command_line.run(*words, "--help") == 0
    shown = capsys.readouterr().out
    _, example = shown.split("Example")

    assert shown.startswith(f"Usage: skinlesion {' '.join(words)} ")
    assert f"\n    skinlesion {' '.join(words)}" in example
    assert all(len(line) <= 100 for line in shown.splitlines())


def test_the_command_alone_shows_its_help(capsys):
    assert command_line.run() == 0
    assert capsys.readouterr().out.startswith("Usage: skinlesion ")


def test_the_version_is_that_of_the_package(capsys):
    assert command_line.run("--version") == 0
    version = importlib.metadata.version("skinlesion")
    assert capsys.readouterr().out == f"skinlesion {version}\n"


def test_help_loads_nothing_that_is_slow_to_load():
    code = (
        "import sys; from tests import command_line; command_line.run('sweep', 'queue', '--help');"
        "print(*sys.modules, file=sys.stderr)"
    )
    ran = run_apart(code)

    assert ran.returncode == 0, ran.stderr
    loaded = set(ran.stderr.split())
    assert "skinlesion.cli" in loaded
    assert loaded & SLOW == set()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("score",), "Missing argument 'BUNDLE'. See skinlesion score --help."),
        (("score", "a", "b", "c"), "Missing argument 'OUT'. See skinlesion score --help."),
        (("score", *"abcd", "--engine", "steam"), "No such option: --engine"),
        (("pack", "a", "b", "--lose-broken"), "No such option: --lose-broken"),
        (("sweep",), "Missing command. See skinlesion sweep --help."),
        (("sweep", "queue"), "Missing option '-S'"),
        (("swep",), "No such command 'swep'."),
        (("summary", "more"), "unexpected extra argument"),
    ],
)
def test_a_command_line_that_cannot_be_read_is_one_line_and_code_2(capsys, words, expected):
    assert command_line.run(*words) == 2
    shown = capsys.readouterr()

    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert expected in shown.err
    assert shown.err.count("\n") == 1


@pytest.fixture
def elsewhere(tmp_path, monkeypatch) -> Path:
    """A folder that is in no repository, as the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("score", *"abcd"), "a must be a bundle. It holds no manifest.json."),
        (("serve", "a"), "a must be a bundle"),
        (("serve", "a", "--host", "0.0.0.0"), "SKINLESION_TOKEN must be set"),
        (("serve", "a", "--limit", "tile=1"), "--limit must be NAME=NUMBER"),
        (("pack", "a", "b.hdf5"), "a must be an HDF5 file"),
        (("summary",), "give this in the top folder of the repository"),
        (("checklists", "a.md"), "give this in the top folder of the repository"),
        (("compare", "a", "b"), "params.yaml must be a params file."),
        (("experiments",), "not inside of a DVC repository"),
        (("sweep", "table"), "not inside of a DVC repository"),
        (("sweep", "plot", "a.png"), "not inside of a DVC repository"),
        (("sweep", "queue", "-S", "a=1"), "not inside of a DVC repository"),
    ],
)
def test_input_that_is_not_what_it_must_be_is_one_line_and_code_1(
    elsewhere, capsys, words, expected
):
    assert command_line.run(*words) == 1
    shown = capsys.readouterr().err

    assert shown.startswith("error: ")
    assert expected in shown
    assert shown.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "package", "extra"),
    [
        (("serve", "a"), "uvicorn", "serve"),
        (("compare", "a", "b"), "sklearn", "train"),
        (("experiments",), "dvc", "train"),
    ],
)
def test_a_package_that_is_not_installed_is_named_with_the_extra_that_brings_it(
    words, package, extra
):
    ran = run_apart(
        f"import sys; sys.modules[{package!r}] = None; from tests import command_line; "
        f"sys.exit(command_line.run(*{words!r}))"
    )

    assert ran.returncode == 1
    assert ran.stderr.startswith(f"error: this command needs the package {package}, ")
    assert ran.stderr.endswith(f"pip install -e '.[{extra}]'\n")
    assert ran.stderr.count("\n") == 1


def test_a_module_of_our_own_that_is_absent_is_our_mistake():
    ran = run_apart(
        "import sys; sys.modules['skinlesion.evaluation'] = None; from tests import command_line; "
        "command_line.run('compare', 'a', 'b')"
    )

    assert "Traceback" in ran.stderr


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (OSError(28, "No space left on device", "a/b"), 1, "error: a/b: No space left on device\n"),
        (KeyboardInterrupt(), 130, "error: interrupted\n"),
    ],
)
def test_a_full_disk_and_ctrl_c_are_one_line(elsewhere, monkeypatch, capsys, error, code, line):
    from skinlesion.reporting import summary

    def fail(folder: Path) -> str:
        raise error

    (elsewhere / "dvc.yaml").touch()
    monkeypatch.setattr(summary, "text", fail)
    assert command_line.run("summary") == code
    assert capsys.readouterr().err == line


@pytest.mark.parametrize("words", [("pack", "tiles"), ("score", "model", "a.csv", "b.hdf5")])
def test_an_output_below_a_file_is_one_line_and_code_1(elsewhere, capsys, words):
    (elsewhere / "tiles").mkdir()
    (elsewhere / "file").touch()

    assert command_line.run(*words, "file/below") == 1
    shown = capsys.readouterr().err
    assert shown.startswith("error: file/below")
    assert "Not a directory" in shown
    assert shown.count("\n") == 1


def run_apart(code: str, **options) -> subprocess.CompletedProcess:
    """Run code in a process of its own, which ends with the code of a command."""
    env = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PYTHONUNBUFFERED": ""}
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.run([sys.executable, "-c", code], env=env, text=True, **given)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is full")
def test_output_to_a_full_disk_is_one_line_and_code_1():
    with open("/dev/full", "w") as full:
        ran = run_apart("from skinlesion import cli; cli.main()", stdout=full)

    assert ran.returncode == 1
    assert ran.stderr == "error: [Errno 28] No space left on device\n"


def test_a_signal_of_ctrl_c_ends_a_command_with_code_130(elsewhere):
    (elsewhere / "dvc.yaml").touch()
    code = (
        # As in a terminal: what runs in the background is started with the signal ignored.
        "import os, signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from tests import command_line; from skinlesion.reporting import summary;"
        "summary.text = lambda folder: os.kill(os.getpid(), signal.SIGINT);"
        "raise SystemExit(command_line.run('summary'))"
    )
    ran = run_apart(code)

    assert (ran.returncode, ran.stderr) == (128 + signal.SIGINT, "error: interrupted\n")
