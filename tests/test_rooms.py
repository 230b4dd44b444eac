"""The rooms: each says what it is for and what it may import, and imports no more."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "skinlesion"
ROOMS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
GROUND = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "cli"}


def docstring(room: str) -> str:
    return ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text())) or ""


def allowed(room: str) -> set[str]:
    """The rooms that the docstring of a room names."""
    [sentence] = re.findall(r"^May import (.*)\.$", docstring(room), re.MULTILINE)
    *rooms, ground = re.split(r", | and ", sentence)
    assert ground == "the ground"
    return set(rooms)


def imported(room: str) -> set[str]:
    found = set()
    for path in (PACKAGE / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "skinlesion":
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("skinlesion."):
                found.add(node.module.split(".")[1])
    return found - {room}


def test_every_folder_is_a_room():
    folders = [p.name for p in PACKAGE.iterdir() if p.is_dir() and p.name != "__pycache__"]

    assert sorted(folders) == ROOMS


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_in_a_sentence_what_it_is_for(room):
    assert re.match(r"[A-Z].{20,95}\.$", docstring(room).partition("\n")[0])


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_nothing_but_the_ground_and_the_rooms_that_it_names(room):
    assert imported(room) - GROUND <= allowed(room)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_that_may_be_imported_exists_and_names_all_that_it_stands_on(room):
    """So whoever reads one docstring knows all rooms that a change may break."""
    for other in allowed(room):
        assert allowed(other) <= allowed(room)


@pytest.mark.parametrize("room", ROOMS)
def test_each_module_of_a_room_has_a_test_of_its_name(room):
    tests = Path(__file__).parent / room
    modules = {path.stem for path in (PACKAGE / room).glob("*.py")} - {"__init__"}

    assert {f"test_{name}.py" for name in modules} <= {path.name for path in tests.glob("*.py")}
