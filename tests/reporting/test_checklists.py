"""reporting.checklists: each place that an item names is there."""

import json
import re
import shutil

import pytest
from tests.report_files import data, details, page
from tests.test_pipeline import PARAMS, ROOT

from skinlesion.errors import InputError
from skinlesion.reporting import checklists

GUIDELINES = {each.name: each for each in checklists.guidelines()}
PLACES = sorted({w for g in GUIDELINES.values() for item in g.item for w in item.where})
KINDS = {kind: [w.partition(":")[2] for w in PLACES if w.startswith(f"{kind}:")] for kind in
         ("report", "params", "data", "set", "details", "docs")}  # fmt: skip


@pytest.fixture
def run(tmp_path):
    """A folder with what a run leaves."""
    (tmp_path / "metrics").mkdir()
    shutil.copy(ROOT / "params.yaml", tmp_path)
    (tmp_path / "metrics/data.json").write_text(json.dumps(data()))
    (tmp_path / "metrics/details.json").write_text(json.dumps(details()))
    return tmp_path


def test_every_item_of_both_guidelines_is_there_in_order():
    claim = [item.n for item in GUIDELINES["CLAIM 2024"].item]
    tripod = [item.n for item in GUIDELINES["TRIPOD+AI"].item]

    assert claim == [str(n) for n in range(1, 45)]
    parts = {3: "abc", 5: "ab", 6: "abc", 8: "abc", 9: "abc", 12: "abcdefg", 18: "abcdef"}
    parts |= {20: "abc", 23: "ab", 27: "abc"}
    assert tripod == [f"{n}{part}" for n in range(1, 28) for part in parts.get(n, [""])]
    assert len(tripod) == 52


def test_every_item_has_a_place_or_a_word_to_the_author():
    assert all(i.where or i.author for g in GUIDELINES.values() for i in g.item)
    assert len(PLACES) == sum(map(len, KINDS.values()))


def test_every_part_of_the_report_that_is_named_exists(tmp_path):
    html = page(tmp_path, n_folds=2)

    assert set(KINDS["report"]) <= set(re.findall(r'<section id="(\w+)"', html))


@pytest.mark.parametrize("place", KINDS["docs"])
def test_every_heading_that_is_named_exists(place):
    file, _, heading = place.partition("#")
    headings = re.findall(r"^#+ (.*)$", (ROOT / "docs" / file).read_text(), re.M)

    assert heading in headings


@pytest.mark.parametrize("key", KINDS["params"])
def test_every_param_that_is_named_exists(key):
    value = PARAMS
    for part in key.split("."):
        value = value[part]


def test_every_value_that_is_named_is_written_by_the_stages():
    """Of the run that git holds."""
    written = checklists.text(ROOT)

    for key in KINDS["data"] + KINDS["set"]:
        assert re.search(rf"`{re.escape(key)}` = |`{re.escape(key)}`[;\s|]", written)


def test_the_values_are_those_of_the_run(run):
    written = checklists.text(run)

    assert "`n_positives` = 106" in written
    assert "`train.n_patients` = 500" in written
    assert f"`split.holdout_fraction` = {PARAMS['split']['holdout_fraction']}" in written
    assert "no clinic was left out" in written
    found = details() | {"clinics": {"by": "attribution"}}
    (run / "metrics/details.json").write_text(json.dumps(found))
    assert "clinics left out by `attribution`" in checklists.text(run)


def test_a_run_without_a_value_is_refused_by_its_file(run):
    (run / "metrics/data.json").write_text("{}")
    with pytest.raises(InputError, match=r"metrics/data\.json must hold n_excluded"):
        checklists.text(run)
    (run / "metrics/data.json").unlink()
    with pytest.raises(InputError, match=r"data\.json must be a file of a run"):
        checklists.text(run)


def test_a_cell_never_breaks_its_table(run):
    rows = [line for line in checklists.text(run).splitlines() if line.startswith("| ")]

    assert all(line.count("|") == 5 for line in rows)


def test_the_page_in_docs_is_of_these_items():
    """Its values are of the last run for which `make checklists` was said."""

    def plain(text: str) -> str:
        text = re.sub(r"clinics left out by `\w+`|no clinic was left out", "", text)
        return re.sub(r"` = [^;|]*", "`", text).replace("` ", "`")

    assert plain((ROOT / "docs/checklists.md").read_text()) == plain(checklists.text(ROOT))


@pytest.mark.parametrize(
    ("heading", "expected"),
    [("What `check` does", "what-check-does"), ("1. The data", "1-the-data")],
)
def test_anchors_are_those_of_github(heading, expected):
    assert checklists.anchor(heading) == expected
