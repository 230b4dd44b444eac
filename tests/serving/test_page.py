"""The triage page in a browser: what it sends, what it shows, and who can use it."""

import csv
import io
import json
import re
import shutil
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from tests import triage_pages, triage_service
from tests.triage_pages import Window, cards, choose, ids, panel, score

COLUMNS = ["isic_id", "patient_id", "risk", "age_approx", "sex", "attribution"]
CLINIC = 'Clinic "A", Oslo'
ONE = {"IP_1": {"ISIC_1": 0.004, "ISIC_2": 0.31, "ISIC_3": 0.05}}
TWO = ONE | {"IP_2": {"ISIC_4": 0.1, "ISIC_5": 0.4}}
TOO_WIDE = """() => {
const width = document.documentElement.clientWidth;
return [...document.querySelectorAll("body *")]
  .filter((e) => e.getBoundingClientRect().right > width + 0.5)
  .map((e) => e.outerHTML.slice(0, 80));
}"""

pytestmark = triage_pages.NEEDS_CHROMIUM


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with triage_pages.browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def server() -> Iterator[triage_service.Server]:
    with triage_service.running() as server:
        yield server


@pytest.fixture
def service(server) -> triage_service.Service:
    return server.fresh()


@pytest.fixture(scope="module")
def windows() -> dict[int, Window]:
    return {}


@pytest.fixture
def opened(browser, server, service, windows) -> Iterator[Callable[..., Page]]:
    """Open the page. At the end it must have complained of nothing and asked nobody else."""

    def open_page(width: int = 1280) -> Page:
        window = windows.get(width) or windows.setdefault(width, Window(browser, width))
        return window.open(server.url)

    yield open_page
    service.answered.set()
    found = {width: window.complaints(server.url) for width, window in windows.items()}
    assert not any(found.values()), found


@pytest.fixture
def folder(tmp_path) -> Callable[..., list[Path]]:
    """Write patients as files: a table, and a tile per lesion, in its own colour."""

    def write(patients: dict[str, dict[str, float]], name: str = "lesions.csv") -> list[Path]:
        rows = [
            [isic_id, patient, str(risk), "65.0", "", CLINIC]
            for patient, lesions in patients.items()
            for isic_id, risk in lesions.items()
        ]
        with (tmp_path / name).open("w", newline="") as file:
            csv.writer(file).writerows([COLUMNS, *rows])
        tiles = [tmp_path / f"{row[0]}.png" for row in rows]
        for i, tile in enumerate(tiles):
            Image.new("RGB", (30, 30), (200, 20 * i, 80)).save(tile)
        return [tmp_path / name, *tiles]

    return write


# === What is sent ===


def test_rows_go_as_they_are_and_tiles_under_the_names_of_their_lesions(opened, service, folder):
    page = opened()
    table, *tiles = folder(ONE)
    shutil.copy(tiles[0], other := tiles[0].with_name("ISIC_9.png"))
    score(page, [table, *tiles[:2], other])

    (request,) = service.of("/v1/patients")
    with table.open(newline="") as file:
        assert request.rows == list(csv.DictReader(file))
    assert request.rows[0]["age_approx"] == "65.0"
    assert request.rows[0]["attribution"] == CLINIC
    assert request.tiles == ["ISIC_1.png", "ISIC_2.png"]
    assert request.token is None


def test_what_has_no_counterpart_is_said_before_anything_is_sent(opened, service, folder):
    page = opened()
    table, *tiles = folder(ONE)
    (table.parent / "notes.txt").write_text("")
    shutil.copy(tiles[0], other := tiles[0].with_name("ISIC_9.png"))
    choose(page, [table, tiles[0], other, table.parent / "notes.txt"])

    expect(page.get_by_text("3 lesions of 1 patient, 2 tiles")).to_be_visible()
    expect(page.get_by_text("2 rows without a tile: ISIC_2, ISIC_3.")).to_be_visible()
    expect(page.get_by_text("1 tile without a row, left out: ISIC_9.")).to_be_visible()
    expect(page.get_by_text("notes.txt is no table and no tile.")).to_be_visible()
    assert service.of("/v1/patients") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("isic_id;risk\nISIC_1;0.1\n", "must have a column isic_id; it has isic_id;risk."),
        ("isic_id,risk\nISIC_1\n", "row 1 has 1 cells, the first line 2 names."),
        ("isic_id,risk\n", "has no rows."),
        ('isic_id,risk\n"ISIC_1,0.1\n', "line 2 has a quote where none may be."),
    ],
)
def test_a_table_that_is_none_is_explained(opened, tmp_path, text, expected):
    page = opened()
    (tmp_path / "lesions.csv").write_text(text)
    choose(page, [tmp_path / "lesions.csv"])

    expect(page.locator("#hints")).to_contain_text(expected)
    expect(page.get_by_role("button", name="Score")).to_be_disabled()


def test_files_may_come_one_after_the_other_by_drop_or_as_a_folder(opened, service, folder):
    page = opened()
    table, *tiles = folder(ONE)
    drop = """(name) => {
        const data = new DataTransfer();
        data.items.add(new File(["isic_id,risk\\r\\nISIC_1,0.004\\r\\n"], name));
        document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, dataTransfer: data }));
    }"""
    page.evaluate(drop, "dropped.csv")
    expect(page.get_by_text("1 row without a tile: ISIC_1.")).to_be_visible()
    page.get_by_label("Choose a folder").set_input_files(table.parent)

    expect(page.get_by_label("Table", exact=True)).to_have_value("dropped.csv")
    page.get_by_label("Table", exact=True).select_option("lesions.csv")
    expect(page.get_by_text("3 lesions of 1 patient, 3 tiles")).to_be_visible()
    page.get_by_role("button", name="Score").click()
    expect(cards(page)).to_have_count(3)
    assert len(service.of("/v1/patients")[0].tiles) == len(tiles)


def test_the_tiles_may_be_the_hdf5_file_of_a_challenge_folder(opened, service, folder):
    page = opened()
    table, *tiles = folder({"IP_1": {f"ISIC_{i}": 0.01 for i in range(100)}}, "test-metadata.csv")
    shutil.copy(table, table.with_name("sample.csv"))
    with h5py.File(hdf5 := table.with_name("test-image.hdf5"), "w") as file:
        for tile in tiles:
            file[tile.stem] = np.void(tile.read_bytes())
    (spoilt := table.with_name("cut.hdf5")).write_bytes(hdf5.read_bytes()[:2000])
    choose(page, [table.with_name("sample.csv"), table, spoilt, hdf5])

    expect(page.get_by_label("Table", exact=True)).to_have_value("test-metadata.csv")
    expect(page.get_by_text("100 lesions of 1 patient, 100 tiles")).to_be_visible()
    expect(page.get_by_text("cut.hdf5 must be a file of tiles as h5py writes it")).to_be_visible()
    page.get_by_role("button", name="Score").click()
    expect(cards(page)).to_have_count(60)
    page.emulate_media(media="print")
    expect(page.get_by_text("The first 60 of 100.")).to_be_visible()
    page.emulate_media(media="screen")
    page.get_by_role("button", name="Show 40 more of 40").click()
    expect(cards(page)).to_have_count(100)
    expect(cards(page).nth(60)).to_be_focused()
    assert page.evaluate("() => document.images[50].naturalWidth") == 30


# === What is shown ===


def test_lesions_are_shown_by_risk_with_what_is_said_of_each(opened, folder):
    page = opened()
    expect(page.get_by_text("Research software, not a medical device")).to_be_visible()
    score(page, folder(ONE))

    assert ids(page) == ["ISIC_2", "ISIC_3", "ISIC_1"]
    name = "Tile of ISIC_2. 310 in 1,000 rank 1 of 3 ISIC_2 passes 2 of 2 operating points"
    expect(cards(page).first).to_have_accessible_name(name)
    shown = panel(page)
    expect(shown).to_have_accessible_name("ISIC_2")
    expect(shown).to_contain_text("rank 1 of 3, patient IP_1")
    expect(shown).to_contain_text("before calibration: network 155 in 1,000, table 310 in 1,000")
    expect(shown.locator(".reasons li")).to_have_text(
        [
            "longest diameter 6.2speaks for: odds \u00d7\u00a02.2",
            "age of the patient 65speaks against: odds \u00f7\u00a01.5",
        ]
    )
    width = "(e) => e.getBoundingClientRect().width"
    right, left = (shown.locator(f".bar.{side}").evaluate(width) for side in ("for", "against"))
    assert left / right == pytest.approx(0.5, abs=0.01)
    expect(shown.locator(".judged li")).to_have_text(
        ["passedsensitivity 95 %, from 20 in 1,000", "passedspecificity 95 %, from 200 in 1,000"]
    )


def test_patients_are_scored_one_by_one_and_shown_together_or_apart(opened, service, folder):
    page = opened()
    score(page, folder(TWO))

    expect(page.get_by_role("status").first).to_have_text("5 lesions of 2 patients scored.")
    sent = [[row["isic_id"] for row in request.rows] for request in service.of("/v1/patients")]
    assert sent == [["ISIC_1", "ISIC_2", "ISIC_3"], ["ISIC_4", "ISIC_5"]]
    assert ids(page) == ["ISIC_5", "ISIC_2", "ISIC_4", "ISIC_3", "ISIC_1"]
    page.get_by_label("Order").select_option("patient")
    assert ids(page) == ["ISIC_5", "ISIC_4", "ISIC_2", "ISIC_3", "ISIC_1"]
    expect(page.locator("#gallery h3")).to_have_text(["IP_2: 2 lesions", "IP_1: 3 lesions"])
    page.get_by_label("Patient", exact=True).select_option("IP_1")
    assert ids(page) == ["ISIC_2", "ISIC_3", "ISIC_1"]


def test_spaces_around_ids_do_not_count_as_they_do_not_for_the_service(opened, service, folder):
    page = opened()
    table, *tiles = folder(ONE)
    text = table.read_text().replace("ISIC_1,IP_1,", "ISIC_1 , IP_1,")
    table.write_text(text, newline="")
    score(page, [table, *tiles])

    (request,) = service.of("/v1/patients")
    assert request.tiles == ["ISIC_1.png", "ISIC_2.png", "ISIC_3.png"]
    assert ids(page) == ["ISIC_2", "ISIC_3", "ISIC_1"]


def test_the_look_budget_greys_out_the_rest_and_tells_what_it_finds(opened, folder):
    page = opened()
    score(page, folder(TWO))
    slider = page.get_by_role("slider", name="Look budget")
    expect(slider).to_have_value("15")
    slider.fill("1")

    beyond = page.locator(".card.beyond")
    expect(beyond).to_have_count(3)
    expect(beyond.first).to_have_accessible_name(re.compile("beyond the look budget$"))
    expect(page.locator("#budget-text")).to_have_text(
        "2 of 5 lesions to look at. In evaluation, the most suspicious lesion of a patient with "
        "cancer held 40\u00a0% (30\u201352\u00a0%) of their cancers on average."
    )
    slider.press("ArrowRight")
    expect(beyond).to_have_count(1)
    assert slider.get_attribute("aria-valuetext") == "2 lesions per patient, sensitivity 70\u00a0%"
    page.get_by_label("Show", exact=True).select_option("within")
    expect(cards(page)).to_have_count(4)
    expect(page.locator("#count")).to_have_text("4 of 5 lesions.")


def test_a_budget_measured_without_intervals_is_told_without(opened, service, folder):
    budget = [{"n": 1, "sensitivity": 0.4, "low": 0.3, "high": None}, {"n": 9, "sensitivity": 0.8}]
    service.model = service.model | {"look_budget": budget}
    page = opened()
    score(page, folder(ONE))

    expect(page.locator("#budget-text")).to_contain_text("held 80\u00a0% of their cancers")
    expect(page.locator("#curve path")).to_have_count(2)


def test_without_a_measured_budget_no_sensitivity_is_claimed(opened, service, folder):
    service.model = service.model | {"look_budget": []}
    page = opened()
    score(page, folder(ONE))

    expect(page.get_by_role("slider")).to_have_attribute("max", "3")
    expect(page.locator("#budget-text")).to_contain_text("was not measured")
    expect(page.locator("#curve")).to_be_hidden()


def test_where_the_network_looks_is_drawn_over_the_tile(opened, service, folder):
    page = opened()
    score(page, folder(ONE))
    button = panel(page).get_by_role("button", name="Where the network looks")
    button.click()

    expect(button).to_have_attribute("aria-pressed", "true")
    drawn = panel(page).get_by_role("img", name="Map of ISIC_2: where the network looks.")
    expect(drawn).to_be_visible()
    pixels = "(e) => [...e.getContext('2d').getImageData(0, 0, 3, 3).data]"
    colours = np.array(drawn.evaluate(pixels)).reshape(9, 4)
    assert colours[0, 0] > colours[0, 2]
    assert colours[8, 2] > colours[8, 0]
    assert colours[0, 3] == pytest.approx(0.7 * 255, abs=1)
    assert colours[0, 3] == pytest.approx(2 * colours[8, 3], abs=2)
    assert not colours[1:8, 3].any()
    same = "(e) => e.getBoundingClientRect().toJSON()"
    assert drawn.evaluate(same) == panel(page).get_by_alt_text("Tile of ISIC_2.").evaluate(same)
    expect(panel(page)).to_contain_text(
        "at the upper left lowers it by up to 0.40, one at the lower right raises it by up to 0.20."
    )
    button.click()
    expect(drawn).to_be_hidden()
    button.click()
    expect(drawn).to_be_visible()
    (request,) = service.of("/v1/occlusion")
    assert json.loads(request.fields["row"]) == {
        "isic_id": "ISIC_2",
        "patient_id": "IP_1",
        "risk": 0.31,
        "age_approx": 65,
        "sex": None,
        "attribution": CLINIC,
    }


def test_a_map_that_is_refused_is_explained_beside_the_tile(opened, service, folder):
    detail = [{"field": "tile", "expected": "a JPEG", "found": "a PNG"}]
    service.refusals["/v1/occlusion"] = (422, {"detail": detail})
    page = opened()
    score(page, folder(ONE))
    panel(page).get_by_role("button", name="Where the network looks").click()

    expect(panel(page).locator(".problem")).to_contain_text("tile, expected a JPEG, found a PNG")
    expect(panel(page).locator("canvas")).to_be_hidden()


def test_marks_say_what_to_be_careful_about(opened, service, folder):
    service.changes["ISIC_2"] = {"uncertainty": 1.0, "shift": ["darker than usual", "very large"]}
    page = opened()
    table, *tiles = folder(ONE)
    score(page, [table, *tiles[:2]])

    expect(cards(page).first.locator(".mark")).to_have_text(
        ["uncertain", "unlike the training data"]
    )
    expect(panel(page).locator(".caution")).to_have_text(
        [
            "uncertain from one model to the next, about 142 in 1,000 to 550 in 1,000.",
            "unlike the training data darker than usual; very large.",
        ]
    )
    cards(page).nth(1).click()
    expect(panel(page)).to_have_text(re.compile("^ISIC_3Close50 in 1,000rank 2"))
    expect(panel(page)).to_contain_text("no tile it has no tile.")
    expect(cards(page).nth(1).locator(".mark")).to_have_text(["no tile"])
    page.get_by_label("Show", exact=True).select_option("marked")
    assert ids(page) == ["ISIC_2", "ISIC_3"]


def test_what_nothing_can_score_comes_first_and_is_never_beyond_the_budget(opened, service, folder):
    unknown = {"probability": None, "in_words": "unknown", "rank": None, "members": {}}
    service.changes["ISIC_1"] = unknown | {"operating_points": [], "reasons": []}
    page = opened()
    score(page, folder(ONE))
    page.get_by_role("slider").fill("1")

    assert ids(page) == ["ISIC_1", "ISIC_2", "ISIC_3"]
    expect(panel(page)).to_contain_text("unknownnot ranked, of 3, patient IP_1")
    expect(page.locator(".card.beyond")).to_have_count(1)


def test_texts_of_the_table_and_the_service_are_shown_as_texts(opened, service, folder):
    spoilt = "<img src=x onerror=alert(1)>"
    reason = {"feature": "f", "label": spoilt, "value": spoilt, "contribution": 1.0}
    service.changes["ISIC_1"] = {"in_words": spoilt, "shift": [spoilt], "reasons": [reason]}
    page = opened()
    score(page, folder({spoilt: {"ISIC_1": 0.1}}))

    expect(panel(page)).to_contain_text(f"{spoilt} {spoilt}")
    assert page.locator("img").count() == 2
    expect(page.get_by_text("None <b>.")).to_have_count(1)


def test_the_model_is_shown_with_what_it_needs_and_its_limits(opened):
    shown = opened().get_by_role("region", name="The model")

    expect(shown).to_contain_text("1.2.0")
    expect(shown).to_contain_text(triage_service.CHECKSUM)
    expect(shown.get_by_role("row")).to_have_text(
        [
            "PointFrom a risk ofSensitivitySpecificity",
            "sensitivity 95 %20 in 1,00095\u00a0%70\u00a0%",
            "specificity 95 %200 in 1,00070\u00a0%95\u00a0%",
        ]
    )
    shown.get_by_text("Columns of the table that it reads").click()
    expect(shown.get_by_text("0 to 120")).to_be_visible()
    expect(shown.get_by_text("female, male")).to_be_visible()
    shown.get_by_text("Limits of a request").click()
    expect(shown.get_by_text("100 tiles")).to_be_visible()


def test_an_answer_of_another_model_than_shown_is_pointed_out(opened, service, folder):
    service.model = service.model | {"checksum": "00"}
    page = opened()
    score(page, folder(ONE))

    expect(page.get_by_text("The service has changed its model")).to_be_visible()


# === When it is refused ===


def test_a_refused_patient_is_explained_and_the_others_are_scored(opened, service, folder):
    row = {"field": "table: age_approx, ISIC_4", "expected": "from 0 to 120", "found": "-4"}
    service.refusals["IP_2"] = (422, {"detail": [row]})
    page = opened()
    score(page, folder(TWO))

    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The service cannot use what was sent.Not scored: IP_2.")
    expect(alert.get_by_role("row").nth(1)).to_have_text("table: age_approx, ISIC_4from 0 to 120-4")
    expect(page.get_by_role("status").first).to_have_text("3 lesions of 1 of 2 patients scored.")
    assert ids(page) == ["ISIC_2", "ISIC_3", "ISIC_1"]


def test_refusals_of_one_kind_are_told_once(opened, service, folder):
    refusal = (413, {"detail": [{"field": "tiles", "expected": "at most 1", "found": "2"}]})
    service.refusals |= dict.fromkeys(TWO, refusal)
    page = opened()
    score(page, folder(TWO))

    expect(page.get_by_role("alert").get_by_role("heading")).to_have_text(
        ["Too much for one request."]
    )
    expect(page.get_by_role("alert")).to_contain_text("2 patients were not scored: IP_1, IP_2.")
    expect(page.get_by_role("button", name="Score")).to_be_focused()


@pytest.mark.parametrize(
    ("status", "answer", "expected"),
    [
        (500, "no object", "The service failed, with status 500."),
        (503, {"detail": "loading"}, "The service is not ready."),
    ],
)
def test_an_answer_out_of_contract_is_an_error_too(
    opened, service, folder, status, answer, expected
):
    service.refusals["IP_1"] = (status, answer)
    page = opened()
    score(page, folder(ONE))

    expect(page.get_by_role("alert")).to_contain_text(expected)


def test_a_patient_beyond_the_limit_of_the_service_is_not_sent(opened, service, folder):
    service.model = service.model | {"limits": {"tiles": 2}}
    page = opened()
    score(page, folder(TWO))

    expect(page.get_by_role("alert").get_by_role("row").nth(1)).to_have_text("tilesat most 23")
    assert len(service.of("/v1/patients")) == 1


def test_a_service_that_was_not_ready_is_asked_again(opened, service, folder):
    service.refusals["/v1/model"] = (503, {"detail": []})
    page = opened()
    expect(page.get_by_role("alert")).to_contain_text("The service is not ready.")
    del service.refusals["/v1/model"]
    score(page, folder(ONE))

    expect(page.get_by_role("alert")).to_be_empty()
    expect(page.get_by_role("region", name="The model")).to_contain_text("lesion-risk")


def test_a_busy_service_is_asked_again_but_not_for_ever(opened, service, folder):
    page = opened()
    service.n_busy = 4
    score(page, folder(ONE))
    expect(cards(page)).to_have_count(3)
    page.get_by_role("button", name="Choose other files").click()
    service.n_busy = 5
    score(page, folder(ONE))

    expect(page.get_by_role("alert")).to_contain_text("The service is busy")


def test_the_token_is_asked_for_and_kept_in_memory_only(opened, service, folder):
    service.token = "secret"
    page = opened()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Token")).to_be_focused()
    dialog.get_by_label("Token").fill("wrong")
    page.keyboard.press("Enter")
    expect(dialog).to_have_accessible_name("The service refused this token")
    dialog.get_by_label("Token").fill("secret")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    score(page, folder(ONE))

    expect(cards(page)).to_have_count(3)
    assert "secret" not in page.content()
    assert page.evaluate("() => document.getElementById('token').value") == ""


def test_scoring_can_be_cancelled_and_what_was_scored_stays(opened, service, folder):
    page = opened()
    files = folder(TWO)
    choose(page, files)
    service.answered.clear()
    page.get_by_role("button", name="Score").click()
    expect(page.get_by_role("status").first).to_contain_text("patient 1 of 2: IP_1, 3 lesions")
    expect(page.get_by_role("progressbar", name="Patients scored")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.get_by_role("status").first).to_have_text(
        "Cancelled. 0 lesions of 0 of 2 patients scored."
    )
    service.answered.set()
    page.get_by_role("button", name="Score").click()
    expect(cards(page)).to_have_count(5)


# === Who can use it, and what is left ===


def test_all_of_it_works_by_keyboard(opened, folder):
    page = opened()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Choose files")).to_be_focused()
    choose(page, folder({"IP_1": {f"ISIC_{i}": 0.5 - i / 20 for i in range(8)}}))
    expect(page.get_by_role("button", name="Score")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Lesions by risk")).to_be_focused()
    for name in ("Look budget", "Show", "Download the list (CSV)", "Print"):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        expect(focused).to_have_accessible_name(name)
    for key, expected in [
        ("Tab", 0), ("ArrowRight", 1), ("ArrowDown", 6), ("ArrowLeft", 5), ("ArrowUp", 0),
        ("ArrowUp", 0), ("End", 7), ("ArrowRight", 7), ("Home", 0), ("ArrowRight", 1),
    ]:  # fmt: skip
        page.keyboard.press(key)
        expect(cards(page).nth(expected)).to_be_focused()
        expect(panel(page)).to_have_accessible_name(f"ISIC_{expected}")
    outline = cards(page).nth(1).evaluate("(e) => getComputedStyle(e).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="ISIC_1")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(panel(page).locator("canvas")).to_be_visible()
    page.keyboard.press("Escape")
    expect(cards(page).nth(1)).to_be_focused()


def test_a_screen_reader_finds_landmarks_headings_and_names(opened, folder):
    page = opened()
    score(page, folder(ONE))
    levels = [
        int(h.evaluate("(e) => e.tagName[1]"))
        for h in page.locator("h1, h2, h3, h4").all()
        if h.is_visible()
    ]
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    for role in ("banner", "main", "complementary"):
        expect(page.get_by_role(role)).to_have_count(1)
    for control in page.locator("button, input, select, summary").all():
        if control.is_visible():
            expect(control).to_have_accessible_name(re.compile(r"\w"))
    expect(page.locator("img:not([alt]), [tabindex='1']")).to_have_count(0)
    expect(page.locator("#gallery [tabindex='0']")).to_have_count(1)
    expect(page.get_by_role("list").filter(has=cards(page))).to_have_count(1)


@pytest.mark.parametrize("width", [360, 800, 1280])
def test_nothing_is_wider_than_the_window(opened, folder, width):
    page = opened(width)
    assert page.evaluate(TOO_WIDE) == []
    score(page, folder(TWO))
    cards(page).first.click()
    panel(page).get_by_role("button", name="Where the network looks").click()
    expect(panel(page).locator("canvas")).to_be_visible()
    for details in page.locator("details").all():
        details.evaluate("(e) => { e.open = true; }")

    assert page.evaluate(TOO_WIDE) == []


def test_on_a_phone_a_lesion_comes_up_over_the_gallery_and_goes_again(opened, folder):
    page = opened(360)
    score(page, folder(ONE))
    expect(panel(page)).to_be_hidden()
    cards(page).nth(1).tap()
    expect(panel(page)).to_be_in_viewport()
    expect(panel(page)).to_have_accessible_name("ISIC_3")
    panel(page).get_by_role("button", name="Close").tap()
    expect(panel(page)).to_be_hidden()
    cards(page).nth(1).tap()
    expect(panel(page)).to_be_visible()


def test_on_paper_are_tiles_and_numbers_and_no_controls(opened, folder):
    page = opened()
    score(page, folder(ONE))
    page.emulate_media(media="print")

    for locator in page.locator("button:not(.card), select, input").all():
        expect(locator).to_be_hidden()
    for text in ("Research software", "310 in 1,000", "In evaluation", triage_service.CHECKSUM):
        expect(page.get_by_text(text).first).to_be_visible()
    expect(page.get_by_text("For: longest diameter (\u00d7\u00a02.2)").first).to_be_visible()
    assert cards(page).first.locator("img").bounding_box()["width"] > 100  # CSS pixels
    page.emulate_media(media="screen")


def test_the_list_as_csv_has_what_is_shown_in_its_order(opened, folder):
    page = opened()
    score(page, folder(TWO))
    page.get_by_role("slider").fill("1")
    page.get_by_label("Patient", exact=True).select_option("IP_1")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the list").click()
    text = Path(download.value.path()).read_text()
    rows = list(csv.DictReader(io.StringIO(text)))

    assert download.value.suggested_filename == "lesions-by-risk.csv"
    assert rows[0] == {
        "isic_id": "ISIC_2",
        "patient_id": "IP_1",
        "probability": "0.31",
        "in_words": "310 in 1,000",
        "rank": "1",
        "n_lesions": "3",
        "within_look_budget": "1",
        "look_budget": "1",
        "operating_points": "sensitivity 95 %; specificity 95 %",
        "uncertainty": "0.1",
        "shift": "",
        "unreadable": "",
        "probability_network": "0.155",
        "probability_table": "0.31",
        "reasons": "longest diameter: 0.8; age of the patient: -0.4",
        "version": "1.2.0",
        "checksum": triage_service.CHECKSUM,
    }
    assert [(row["isic_id"], row["within_look_budget"]) for row in rows] == [
        ("ISIC_2", "1"), ("ISIC_3", "0"), ("ISIC_1", "0"),
    ]  # fmt: skip


@pytest.mark.parametrize("start", ["=1+1", "+1", "@x", "-1", "\t=1"])
def test_no_text_of_the_list_is_a_formula(opened, service, folder, start):
    service.changes = {"ISIC_1": {"unreadable": f"{start}: it has no tile"}}
    page = opened()
    score(page, folder(ONE))
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the list").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))

    (row,) = [row for row in rows if row["isic_id"] == "ISIC_1"]
    assert row["unreadable"] == f"'{start}: it has no tile"


def test_nothing_is_left_in_the_browser(opened, folder):
    page = opened()
    score(page, folder(TWO))
    cards(page).nth(2).click()
    with page.expect_download():
        page.get_by_role("button", name="Download the list").click()
    page.wait_for_function("() => urls.size === 0")
    stored = """async () => [localStorage.length, sessionStorage.length,
        (await indexedDB.databases()).length, (await caches.keys()).length]"""

    assert page.evaluate(stored) == [0, 0, 0, 0]
    assert page.context.cookies() == []
    page.get_by_role("button", name="Choose other files").click()
    expect(page.locator("#results")).to_be_hidden()


def test_it_has_the_colours_of_the_report():
    def palettes(css: Path) -> list[str]:
        return re.findall(r":root \{(.+?)\}", css.read_text(), re.DOTALL)

    report = triage_service.PAGE.parents[1] / "reporting" / "style.css"
    assert palettes(triage_service.PAGE / "page.css") == palettes(report)
