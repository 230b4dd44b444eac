"""docs: what they list is there, what they link to exists, and their pictures are current."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
WHY = (ROOT / "docs" / "why.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_to_one(page):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())

    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_contents_of_why_are_its_sections_and_decisions():
    contents, *sections = re.split(r"^## ", WHY, flags=re.MULTILINE)
    listed = re.findall(r"^(?:- \[(.+)\]\(.*\)|  - (.+))$", contents, re.MULTILINE)
    expected = []
    for section in sections:
        expected.append(section.partition("\n")[0])
        decisions = re.findall(r"^\*\*(.+?)\*\*", section, re.MULTILINE)
        expected += [decision.removesuffix(".") for decision in decisions]

    assert [heading or entry for heading, entry in listed] == expected


def test_the_picture_of_the_rooms_is_that_of_the_imports(tmp_path):
    drawn = tmp_path / "rooms.svg"
    line = [sys.executable, str(ROOT / "docs" / "rooms.py"), str(drawn)]
    ran = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True)

    assert ran.returncode == 0, ran.stderr
    assert drawn.read_text() == (ROOT / "docs" / "rooms.svg").read_text()
