"""bundle.card: the card says what the report says, for programs and for people."""

import json
from pathlib import Path

import pytest
from tests import report_files

from skinlesion.bundle import card
from skinlesion.dataset import fold_seed


def made(folder: Path, **changes) -> dict:
    report_files.write(folder, **changes)
    files = card.Files(folder / "data.json", folder / "details.json", folder / "plots")
    raw = changes.get("raw", "data/raw/synthetic")
    every = fold_seed.every(range(changes.get("n_folds", 1)), changes.get("n_seeds", 1))
    return card.make(files, folder / "models", raw=raw, networks=every)


def test_operating_points_are_those_evaluated_with_their_intervals(tmp_path):
    found = made(tmp_path)
    details = json.loads((tmp_path / "details.json").read_text())
    points = details["sets"][details["primary"]]["operating_points"]

    assert len(found["operating_points"]) == len(points) > 0
    for ours, given in zip(found["operating_points"], points, strict=True):
        assert ours["threshold"] == given["threshold"]
        assert ours["name"] == f"{given['criterion']} {100 * given['level']:g} %"
        for rate in ("sensitivity", "specificity"):
            assert ours[rate] == given[rate]["value"]
            assert ours[f"{rate}_low"] == given[rate]["low"]
            assert ours[f"{rate}_high"] == given[rate]["high"]


@pytest.mark.parametrize("n_folds", [1, 5])
def test_its_words_are_those_of_the_page(tmp_path, n_folds):
    import html

    found = made(tmp_path / "card", n_folds=n_folds)
    page = html.unescape(report_files.page(tmp_path / "page", n_folds=n_folds))

    said = [found["notice"], found["intended_use"], found["out_of_scope"], *found["limits"]]
    assert all(text in page for text in said)
    assert any("mean of 5 models" in limit for limit in found["limits"]) == (n_folds == 5)


@pytest.mark.parametrize(("raw", "is_drawn"), [("data/raw/synthetic", True), ("data/mine", False)])
def test_drawn_data_are_said_to_be_drawn(tmp_path, raw, is_drawn):
    found = made(tmp_path, raw=raw)

    assert found["data"]["is_drawn"] == is_drawn
    assert ("drawn by the project" in found["data"]["what"]) == is_drawn


def test_it_holds_what_each_fold_learnt_from(tmp_path):
    found = made(tmp_path, n_folds=2, n_seeds=2)

    each = ["fold-0", "fold-0/seed-1", "fold-1", "fold-1/seed-1"]
    assert list(found["trained"]) == each
    assert found["trained"]["fold-1"]["inputs_md5"]["data/interim/folds.csv"]
    assert found["versions"].keys() >= {"skinlesion", "lightgbm", "ai-edge-litert"}


def test_the_same_findings_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        found = made(tmp_path / name)
        (tmp_path / f"{name}-out").mkdir()
        card.write(tmp_path / f"{name}-out", found)
    for file in (card.NAME, card.MARKDOWN):
        assert (tmp_path / "a-out" / file).read_bytes() == (tmp_path / "b-out" / file).read_bytes()


def test_the_card_for_people_has_the_figures(tmp_path):
    found = made(tmp_path)
    text = card.markdown(found)

    assert text.startswith(f"# Model card: {found['name']}\n")
    assert f"{found['measured_on']['ranking']['pauc']['value']:.3f} (" in text
    assert all(f"- {limit}" in text for limit in found["limits"])
    assert text.count("\n| 0.") == len(found["operating_points"])


def test_the_card_for_people_lists_the_columns_that_are_read(tmp_path):
    column = {"name": "age_approx", "kind": "number", "unit": "years", "members": ["network"]}
    text = card.markdown(made(tmp_path) | {"columns": [column]})

    assert "| `age_approx` | number | years | network |" in text


def test_the_look_budget_is_that_of_the_plots(tmp_path):
    import pandas as pd

    found = made(tmp_path)["look_budget"]
    primary = json.loads((tmp_path / "details.json").read_text())["primary"]
    given = pd.read_csv(tmp_path / "plots" / f"{primary}_look_budget.csv")

    assert [point["n"] for point in found] == given["n"].tolist()
    assert [point["sensitivity"] for point in found] == given["sensitivity"].tolist()
