"""reporting.layout: one page that says what is true, whatever it is given."""

import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from tests import report_files
from tests.report_files import interval

from skinlesion.reporting import layout, svg

ROOT = Path(__file__).parents[2]
STYLE = (ROOT / "src" / "skinlesion" / "reporting" / "style.css").read_text()
UNDEFINED = {"value": None, "low": None, "high": None}
NASTY = "<script>alert(\"1\")</script><b title='x'>&amp;"


class Page(HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.parts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.parts.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.parts)).replace("\N{EN DASH}", "-")

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag in tags]


@pytest.fixture
def page(tmp_path, monkeypatch):
    """Make the page of changed inputs; `details` are changes to the primary set."""

    def name_of(name, draw, **_):
        return f'<svg aria-label="{name}"></svg>'

    monkeypatch.setattr(svg, "draw", name_of)  # drawing takes a second

    def make(*, details=None, primary="holdout", name="files", **changes) -> Page:
        found = changes.pop("found", None) or report_files.details(primary=primary, **details or {})
        return Page(report_files.page(tmp_path / name, found=found, **changes))

    return make


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Page:
    return Page(report_files.page(tmp_path_factory.mktemp("plain") / "files", n_folds=3))


# === The page as a document ===


def test_the_same_inputs_give_the_same_bytes(tmp_path, monkeypatch):
    pages = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        pages.append(report_files.page(Path("files"), n_folds=2))
    assert pages[0] == pages[1]


def test_the_page_needs_nothing_from_outside_and_runs_nothing(plain):
    sources = [a[key] or "" for _, a in plain.elements for key in ("src", "href") if key in a]
    allowed = ("#", "data:image/png;base64,", "https://doi.org/")
    assert len(sources) > 20
    assert all(source.startswith(allowed) for source in sources)
    assert not plain.all("script", "link", "iframe", "object")
    assert not any(key.startswith("on") for _, a in plain.elements for key in a)
    assert not re.search(r"url\(|@import", STYLE)
    (policy,) = [a["content"] for a in plain.all("meta") if "http-equiv" in a]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def test_ids_are_unique_and_the_contents_lead_to_each_section(plain):
    ids = [a["id"] for _, a in plain.elements if "id" in a]
    assert len(ids) == len(set(ids))
    links = [a["href"] for a in plain.all("a") if (a["href"] or "").startswith("#")]
    sections = [f"#{a['id']}" for a in plain.all("section")]
    assert links[: len(sections)] == sections
    assert set(links) == set(sections)


def test_headings_are_nested_and_tables_and_pictures_are_described(plain):
    levels = [int(tag[1]) for tag, _ in plain.elements if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert 1 not in levels[1:]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(a.get("scope") in ("row", "col", "rowgroup") for a in plain.all("th"))
    assert all(
        (a.get("alt") or "").startswith(("Tile of", "Occlusion map of")) for a in plain.all("img")
    )
    named = [a.get("aria-label") or a.get("aria-hidden") for a in plain.all("svg")]
    assert len(named) > 20
    assert all(named)
    assert len(plain.all("figure")) == len(plain.all("figcaption"))


def luminance(colour: str) -> float:
    colour = colour if len(colour) == 7 else "#" + "".join(2 * c for c in colour[1:])
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_stands_out_from_the_paper_in_the_light_and_in_the_dark():
    """A contrast of 4.5 is what https://www.w3.org/TR/WCAG22/#contrast-minimum asks for."""
    light, dark = re.findall(r":root \{(.*?)\}", STYLE, re.S)
    for scheme in (light, dark):
        colours = dict(re.findall(r"(--\w+): (#\w+)", scheme))
        for paper in ("--paper", "--wash"):
            for text in ("--ink", "--muted", "--accent"):
                pair = sorted(luminance(colours[name]) for name in (paper, text))
                assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, (paper, text)


# === Text from files ===


def test_text_of_files_is_text_whatever_it_holds(tmp_path, monkeypatch):
    found, data = report_files.details(), report_files.data()
    found["sets"]["holdout"]["baseline"]["column"] = NASTY
    found["sets"]["holdout"]["subgroups"]["absent"] = [NASTY]
    found["sets"]["holdout"]["subgroups"]["groups"][0] |= {"attribute": NASTY, "group": NASTY}
    found["calibrator"] |= {"method": "none", "reason": NASTY}
    data["warnings"] = [NASTY]
    data["train"] |= {key: {NASTY: 1} for key in ("missing", "licences", "attributions")}
    monkeypatch.setattr(report_files, "data", lambda: data)
    monkeypatch.setattr(report_files, "FEATURES", [NASTY])
    page = Page(report_files.page(tmp_path / "files", found=found))
    assert not page.all("script")
    assert not any(a.get("title") == "x" for a in page.all("b"))
    # Six times the baseline; absent, attribute, group, reason, warning; three counts, four drops.
    assert page.text.count('<script>alert("1")') == 18


def test_all_params_are_shown_as_in_their_file(plain):
    text = (ROOT / "params.yaml").read_text().replace("[0]", "[0, 1, 2]")
    assert text in "".join(plain.parts)


def test_every_input_is_named_with_its_hash(plain, tmp_path):
    for path in report_files.write(tmp_path / "files", n_folds=3)[:8]:
        assert path.name in plain.text
    assert len(re.findall(r"[0-9a-f]{32}", plain.text)) > 20


def test_a_name_of_90_characters_is_shown_whole(plain):
    assert len(report_files.LONG) >= 90
    assert plain.text.count(report_files.LONG) == 2  # among the groups, and in the data card


# === What it says ===


def test_the_verdict_says_how_good_how_sure_and_compared_with_what(plain):
    for said in (
        "A cancer is ranked above a benign lesion 92 times in 100: AUC 0.916 (0.889-0.943).",
        "pAUC, is 0.141 (0.126-0.157), of at most 0.2; a random order gets about 0.02.",
        "1,789 lesions of 150 patients were scored, 106 cancers in 37 of these patients.",
        "Intervals hold 95 % of 1,000 resamples of the patients.",
        "sorting by clin_size_long_diam_mm alone, on the same lesions: the model is better in AUC",
        "Not a medical device, not for diagnosis or reassurance.",
    ):
        assert said in plain.text


@pytest.mark.parametrize(
    ("half", "said"), [(0.01, "the model is better in"), (0.3, "no difference shown in")]
)
def test_a_difference_whose_interval_holds_zero_is_not_shown(page, half, said):
    baseline = report_files.scored()["baseline"]
    baseline |= {f"{area}_difference": interval(0.05, half) for area in ("auc", "pauc")}
    assert page(details={"baseline": baseline}).text.count(said) == 2


def test_without_a_baseline_it_says_that_there_is_none(page):
    text = page(details={"baseline": None}).text
    assert "There is no column to sort by for a comparison." in text
    assert "Baseline" not in text


@pytest.mark.parametrize(("n", "few"), [(23, True), (49, True), (50, False), (106, False)])
def test_fewer_than_50_cancers_are_said_to_be_few(page, n, few):
    text = page(details={"n_positives": n, "prevalence": n / 1789}).text
    assert ("take every figure to one digit" in text) == few
    assert (f"{n} cancers are few" in text) == few


@pytest.mark.parametrize("primary", ["holdout", "oof"])
def test_without_a_holdout_it_says_whose_scores_are_shown(page, primary):
    text = page(primary=primary).text
    assert ("There is no holdout: these are out-of-fold scores" in text) == (primary == "oof")
    assert ("thresholds were chosen on these very lesions" in text) == (primary == "oof")
    assert ("No model, threshold or calibration was fitted" in text) == (primary == "holdout")


@pytest.mark.parametrize(("n", "nothing"), [(0, True), (1, False), (17, False)])
def test_the_top_k_says_nothing_where_nobody_has_more_lesions(page, n, nothing):
    text = page(details={"n_crowded_patients": n}).text
    assert ("the top-15 sensitivity says nothing" in text) == nothing


@pytest.mark.parametrize("n_patients", [1788, 1789])
def test_a_lesion_that_is_its_patients_only_one_is_not_shown_beside_others(page, n_patients):
    text = page(details={"n_patients": n_patients, "n_crowded_patients": 1789 - n_patients}).text
    is_shown = n_patients < 1789
    for beside_others in ("each lesion alone", "Table expert, beside the", "Top-15 sensitivity"):
        assert (beside_others in text[text.index("Members What") :]) == is_shown
    assert ("Each lesion is the only one of its patient here" in text) != is_shown


def test_operating_points_are_counts_per_1000_lesions(plain):
    assert "What would happen to 1,000 lesions like these, 59.3 of them cancers" in plain.text
    assert "specificity 90 % probability ≥ 9.32 % 142 (129-155)" in plain.text
    assert "Examined per cancer" in plain.text


def test_a_threshold_above_every_score_is_said_to_flag_nothing(page):
    points = report_files.scored()["operating_points"]
    points[0]["per_1000"]["flagged"] = interval(0.0, 0.0)
    assert "specificity 90 % nothing is flagged" in page(details={"operating_points": points}).text


def test_a_look_budget_is_said_in_lesions_per_patient(plain):
    assert "one looks at 4 (3-7) lesions per patient, or at more than 50 (8 to more" in plain.text
    assert "95 %12 (11-15)12 (12-12)more than 50 (24 to more than 50)" in plain.text
    assert "10 32 patients with a cancer have more" in plain.text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"n_patients_with_malignancy": 5}, "fewer than 6 patients: too few to measure a budget"),
        ({"n_crowded": 0}, "No patient with a cancer has more than one lesion here"),
    ],
)
def test_a_budget_that_cannot_be_measured_is_not_shown(page, changes, said):
    budget = report_files.usefulness()["look_budget"]
    budget["rows"][0]["n_crowded"] = changes.pop("n_crowded", 37)
    shown = page(details=changes | {"look_budget": budget})
    assert said in shown.text
    assert "look budget" not in [a.get("aria-label") for a in shown.all("svg")]


def test_orders_that_there_are_not_are_no_columns(page):
    budget = report_files.usefulness()["look_budget"]
    for row in budget["rows"]:
        row["sensitivity"] = {"model": row["sensitivity"]["model"]}
    for row in budget["needed"]:
        row["lesions"] = {"model": row["lesions"]["model"]}
    text = page(details={"look_budget": budget, "baseline": None}).text
    assert "one looks at 4 (3-7) lesions per patient." in text
    assert "Each lesion alone" not in text


def test_the_net_benefit_says_where_the_model_is_ahead(page, plain):
    assert "From a threshold of 0.447 % to one of 10 % it is higher than that of" in plain.text
    nowhere = report_files.usefulness()["net_benefit"] | {"better": None}
    text = page(details={"net_benefit": nowhere}).text
    assert "At no threshold from 0.01 % to 10 % is it shown to be higher" in text


@pytest.mark.parametrize(
    ("half", "said"), [(90, "it costs less"), (700, "no saving is shown"), (None, "no saving is")]
)
def test_the_cost_says_what_is_found_and_spared_and_whether_that_saves(page, half, said):
    cost = report_files.usefulness()["cost"] | {"saving": interval(691.1, half)}
    text = page(details={"cost": cost}).text
    assert (
        f"Compared with examining all, the cheaper of the two ways without a model, {said}" in text
    )
    assert "as bad as 20 needless examinations (evaluate.cost_ratio)" in text
    assert "from a probability of 1 / (1 + 20) = 4.76 %" in text
    assert "finds 49.4 (40.3-58.5) of 59.3 cancers and spares 787 (774-800) examinations" in text


def test_of_too_few_patients_no_benefit_and_no_saving_is_claimed(page):
    text = page(details={"n_patients_with_malignancy": 5}).text
    assert "too few to tell where it is higher" in text
    assert "too few to tell what it saves: 691" in text
    assert "it costs less" not in text


def test_without_a_cost_ratio_it_says_so(page):
    assert "No cost ratio is given: evaluate.cost_ratio." in page(details={"cost": None}).text


def test_groups_that_are_too_few_are_named_and_not_measured(plain):
    assert "missing 46 lesions, 2 cancers too few" in plain.text
    assert "ACEMID MIA 112 lesions, 7 cancers too few" in plain.text
    assert "fewer than 10 cancers" in plain.text
    assert "Not known in this table: lighting, measured background lightness." in plain.text
    assert "no skin type, and says nothing about race or phototype" in plain.text


def test_a_calibrator_that_changes_nothing_is_one_chart_and_its_reason(page):
    found = report_files.details()
    found["calibrator"] |= {"method": "none", "reason": "3 patients are too few"}
    shown = page(found=found)
    assert "they were left as they are: 3 patients are too few." in shown.text
    charts = [a.get("aria-label") for a in shown.all("svg")]
    assert "calibration after" in charts
    assert "calibration before" not in charts


@pytest.mark.parametrize("n", [0, 1234])
def test_test_tiles_that_cannot_be_read_are_counted(page, n):
    found = report_files.details() | {"test": {"n_unreadable": n}}
    assert ("given the median score" in page(found=found).text) == bool(n)


def test_without_an_image_branch_it_says_so_and_shows_tiles_alone(page):
    shown = page(images=False)
    assert "The model has no image branch" in shown.text
    assert "the model has no image branch" in shown.text
    assert len(shown.all("img")) == 4


@pytest.mark.parametrize("n_folds", [1, 5])
def test_every_fold_has_its_curves_and_facts(page, n_folds):
    text = page(n_folds=n_folds, train=("network", "best")).text
    for fold in range(n_folds):
        assert f"Fold {fold}: best epoch 10 of 14" in text
    assert ("are used on the mean of" in text) == (n_folds > 1)


def test_every_seed_has_its_curves_and_facts(page):
    text = page(n_folds=2, n_seeds=3, train=("network", "last")).text

    assert "3 networks, of different seeds, per fold, each kept as it was" in text
    assert "Fold 1: epoch 10 of 14" in text
    assert text.count("Fold 1, seed 2: epoch 10 of 14") == 1
    assert "are used on the mean of 2 models" in text


@pytest.mark.parametrize(
    ("train", "said", "caption"),
    [
        (
            ("network", "best"),
            "the fold left out chooses the best epoch",
            "best epoch 10 of 14, val",
        ),
        (("network", "last"), "kept as it was after the last epoch", "epoch 10 of 14, validation"),
        (("head", "best"), "the last layer alone was fitted", "Fold 0: validation pAUC"),
    ],
)
def test_the_training_says_what_the_fold_left_out_chose(page, train, said, caption):
    text = page(primary="oof", train=train).text
    assert said in text
    assert caption in text
    chose = train == ("network", "best")
    for of_best in ("chosen by that fold, so no result", "of folds that chose their best epoch"):
        assert (of_best in text) == chose
    assert ("the fold left out chose nothing" in text) != chose


def test_drawn_data_are_said_to_say_nothing_of_dermatology(page):
    (drawn,) = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]["synthesize"]["outs"]
    text = page(raw=drawn).text
    assert f"Data: {drawn}, drawn by the project itself" in text
    assert "they say nothing of dermatology" in text
    assert "are patients' data" not in text


def test_other_data_are_named_with_the_care_they_need(page):
    text = page(raw="data/raw/isic-2024").text
    assert "Data: data/raw/isic-2024." in text
    assert "drawn by the project" not in text
    assert "are patients' data" in text
    assert "CC BY-NC 4.0" in text


def test_nothing_that_is_undefined_is_drawn_or_called_a_number(page):
    details = report_files.scored()

    def undefine(tree):
        if isinstance(tree, dict) and tree.keys() == UNDEFINED.keys():
            return UNDEFINED
        if isinstance(tree, dict):
            return {key: undefine(value) for key, value in tree.items()}
        return [undefine(value) for value in tree] if isinstance(tree, list) else tree

    text = page(details=undefine(details)).text
    assert "The AUC is not defined on these lesions." in text
    assert "None" not in re.sub(r"None of", "", text)
    assert "nan" not in text.split("What each input gives")[0].lower().split()


# === Words ===


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.91630, "0.916"),
        (0.05, "0.0500"),
        (12.345, "12.3"),
        (1234.5, "1,234"),
        (401059, "401,059"),
        (-0.2, "-0.200"),
        (0, "0"),
        (1, "1.000"),
        (1e-9, "0.000000"),
        (-1e-9, "0.000000"),
    ],
)
def test_a_number_has_three_significant_digits(value, written):
    assert layout.number(value).replace("\N{MINUS SIGN}", "-") == written


@pytest.mark.parametrize(
    ("value", "low", "high", "written"),
    [
        (0.9163, 0.8841, 0.9432, ("0.916", "0.884-0.943")),
        (0.981, 0.872, 1.0, ("0.981", "0.872-1.000")),
        (0.0234, -0.0012, 0.048, ("0.0234", "-0.0012 to 0.0480")),
        (134.2, 120.4, 149.9, ("134", "120-150")),
        (0.0, 0.0, 0.0, ("0", "0-0")),
        (0.0, -0.01, 0.01, ("0.0000", "-0.0100 to 0.0100")),
        (0.5, None, None, ("0.500", "no interval")),
        (None, None, None, ("not defined", "")),
    ],
)
def test_limits_have_as_many_decimals_as_their_value(value, low, high, written):
    found = layout.typeset({"value": value, "low": low, "high": high})
    plain = str.maketrans({"\N{EN DASH}": "-", "\N{MINUS SIGN}": "-"})
    assert tuple(part.translate(plain) for part in found) == written


@pytest.mark.parametrize(
    ("value", "half", "written"),
    [
        (0.00256, 0.001, ("0.0026", "0.0016-0.0036")),
        (0.0402, 0.02, ("0.0402", "0.0202-0.0602")),
        (0.0, 0.0, ("0", "0-0")),
        (0.00256, None, ("0.0026", "no interval")),
    ],
)
def test_intervals_of_a_column_have_the_decimals_of_its_scale(value, half, written):
    found = layout.typeset(interval(value, half), 0.065)
    assert tuple(part.replace("\N{EN DASH}", "-") for part in found) == written


# === Marks ===


def test_a_mark_lies_between_its_limits_in_percent_of_the_axis():
    found = layout.mark({"value": 0.8, "low": 0.7, "high": 0.9}, (0.5, 1.0), 0.75)
    assert re.findall(r'(?:x1|x2|cx)="([\d.]+)%"', found) == [
        *("50.00", "50.00"),  # the reference
        *("40.00", "80.00"),  # the interval
        "60.00",
    ]


def test_what_lies_beyond_the_axis_is_drawn_at_its_end():
    found = layout.mark({"value": 0.4, "low": 0.2, "high": 0.6}, (0.5, 1.0), None)
    assert re.findall(r'(?:x1|x2|cx)="([\d.]+)%"', found) == ["0.00", "20.00", "0.00"]


def test_what_is_not_known_is_not_drawn():
    assert "<circle" not in layout.mark(UNDEFINED, (0, 1), 0.5)
    assert "<line" not in layout.mark(UNDEFINED | {"value": 0.5}, (0, 1), None)


# === Shift and uncertainty ===


def test_what_differs_much_is_named_and_what_is_new_or_vanished(page):
    text = page().text
    assert "600 lesions, of patients that are not named" in text
    assert "Much unlike the training lesions in tbp_lv_L, attribution: figures of this" in text
    assert "another clinic (310)" in text
    assert "vanished: acemid mia" in text
    assert text.count("No column differs much") == 1


def test_a_gain_of_abstaining_is_claimed_only_beyond_its_interval(page):
    said = {
        0.02: "By uncertainty more cancers are found.",
        -0.02: "A lower threshold is the better use of it here.",
        0.004: "No gain is shown.",
    }
    for i, (value, sentence) in enumerate(said.items()):
        found = report_files.uncertainty()
        found["abstaining"]["gain"] = interval(value, 0.01)
        text = page(details={"uncertainty": found}, name=f"files-{i}").text
        assert [s for s in said.values() if s in text] == [sentence]


def test_without_a_spread_the_page_says_what_would_give_one(page):
    text = page(details={"uncertainty": None}).text
    assert "Each lesion is scored by one model on one view of its tile" in text
    assert "Leaving the most uncertain tenth" not in text
