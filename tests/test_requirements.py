"""requirements.txt: the whole environment, pinned with hashes, and as pyproject.toml asks."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "requirements.txt").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ASKED = [
    Requirement(line)
    for line in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
]
OURS = "skinlesion (pyproject.toml)"

# A pin begins at the left margin; its hashes and its `# via` notes are indented below it.
PINS = re.findall(r"^\S.*(?:\n[ \t]+.*)*", TEXT, flags=re.MULTILINE)


def requirement(pin: str) -> Requirement:
    return Requirement(pin.split("\\\n")[0].strip())


def asked_by(pin: str) -> set[str]:
    """Who needs a package, from `# via a` or from a list of `#   a` below `# via`."""
    notes = [line.strip() for line in pin.splitlines() if line.strip().startswith("#")]
    return {note.removeprefix("#").strip().removeprefix("via").strip() for note in notes} - {""}


def pins_of(name: str) -> list[str]:
    return [p for p in PINS if canonicalize_name(requirement(p).name) == canonicalize_name(name)]


def test_the_file_consists_of_pins():
    assert "\n".join(PINS) == TEXT.strip()
    assert len(PINS) > len(ASKED)


@pytest.mark.parametrize("pin", PINS, ids=lambda pin: pin.split()[0])
def test_every_pin_is_one_version_with_hashes(pin):
    (specifier,) = requirement(pin).specifier
    assert specifier.operator == "=="
    assert "*" not in specifier.version
    options = re.findall(r"--\S+", pin)
    assert options
    assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", option) for option in options)


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked.name)
def test_what_pyproject_asks_for_is_pinned_within_its_bounds_and_marked(asked):
    pins = pins_of(asked.name)
    assert pins
    for pin in pins:
        (specifier,) = requirement(pin).specifier
        assert asked.specifier.contains(specifier.version)
        assert OURS in asked_by(pin)


def test_nothing_else_is_marked_as_asked_for():
    marked = {canonicalize_name(requirement(pin).name) for pin in PINS if OURS in asked_by(pin)}
    assert marked == {canonicalize_name(asked.name) for asked in ASKED}
    assert TEXT.count(OURS) == sum(len(pins_of(name)) for name in marked)


def test_no_pin_occurs_twice():
    assert len({str(requirement(pin)) for pin in PINS}) == len(PINS)


@pytest.mark.parametrize("forbidden", ["index-url", "find-links", "trusted-host", "://", " @ "])
def test_where_packages_come_from_is_left_to_the_machine(forbidden):
    assert forbidden not in TEXT
