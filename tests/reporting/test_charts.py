"""reporting.charts: charts that stay equal, take their colours from the page, and show it all."""

import re
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pandas as pd
import pytest
from tests import report_files

from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.reporting import charts

ONE, TWO = FoldSeed(0), FoldSeed(1)
XLINK = "http://www.w3.org/1999/xlink"


def bins(mean_score, prevalence, low, high) -> pd.DataFrame:
    columns = {"mean_score": mean_score, "prevalence": prevalence, "low": low, "high": high}
    return pd.DataFrame(columns, dtype=float)


def epochs(n: int = 4) -> pd.DataFrame:
    steps = np.arange(n)
    return pd.DataFrame({"training": 1 / (1 + steps), "validation": 0.5, "pauc": steps / 50})


def every() -> dict[str, str]:
    """All kinds of charts, by name."""
    curves = report_files.curves()
    both = {"before": curves["calibration_before"], "after": curves["calibration"]}
    trained = charts.training({ONE: epochs(), FoldSeed(3): epochs()}, {ONE: 2, FoldSeed(3): 1})
    return {
        "ROC curve": charts.roc(curves["roc"], min_tpr=0.8),
        "precision and recall": charts.precision_recall(
            curves["precision_recall"], prevalence=0.06
        ),
        "scores of each class": charts.scores(curves["scores"]),
        **{f"calibration {name}": c for name, c in charts.calibration(both).items()},
        **{f"training of {one}": chart for one, chart in trained.items()},
    }


NAMES = [
    *("ROC curve", "precision and recall", "scores of each class"),
    *("calibration before", "calibration after", "training of fold 0", "training of fold 3"),
]


@pytest.fixture(scope="module")
def drawn() -> dict[str, str]:
    return every()


@pytest.fixture(params=NAMES)
def chart(request, drawn) -> str:
    return drawn[request.param]


def tree(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg.replace("<svg", f'<svg xmlns:xlink="{XLINK}"', 1))


def marks(svg: str) -> list[tuple[float, float]]:
    """Where the marks in the accent colour are."""
    uses = [e for e in tree(svg).iter("use") if "var(--accent)" in e.get("style", "")]
    return [(float(e.get("x", "nan")), float(e.get("y", "nan"))) for e in uses]


def labels(svg: str) -> list[str]:
    return [(e.text or "").replace("\N{NO-BREAK SPACE}", " ") for e in tree(svg).iter("text")]


# === All charts ===


def test_a_chart_is_one_element_without_anything_from_outside(chart):
    assert tree(chart).tag == "svg"
    assert tree(chart).get("aria-label") in NAMES
    assert not re.search(r"http|<style|<metadata|<!|font-family", chart)


def test_all_colours_are_variables_of_the_page(chart):
    assert "var(--accent)" in chart
    assert not re.search(r"(fill|stroke): *(#|black|white)", chart)


def test_text_is_text_of_at_least_11_pixels_where_the_chart_is_360_wide(chart):
    assert tree(chart).get("viewBox", "").split()[2] == "360"
    sizes = [float(x) for x in re.findall(r"font-size: ([\d.]+)px", chart)]
    assert min(sizes) >= 11
    assert len(sizes) == len(labels(chart)) > 5


def test_an_id_occurs_once_over_all_charts_and_every_reference_is_to_one(drawn):
    assert list(drawn) == NAMES
    page = "".join(drawn.values())
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:url\(|href=")#([^")]+)', page)) <= set(ids)


def test_charts_are_equal_on_every_run_whatever_matplotlib_is_set_to(drawn):
    with matplotlib.rc_context({"font.size": 30, "lines.linewidth": 9, "svg.fonttype": "path"}):
        before = dict(matplotlib.rcParams)
        assert every() == drawn
        assert dict(matplotlib.rcParams) == before


# === Each chart ===


@pytest.mark.parametrize("min_tpr", [0.0, 0.8, 0.975])
def test_the_roc_says_from_where_the_pauc_counts(min_tpr):
    chart = charts.roc(report_files.curves()["roc"], min_tpr=min_tpr)
    assert f"the pAUC counts above {100 * min_tpr:g} %" in labels(chart)


@pytest.mark.parametrize(("prevalence", "powers"), [(0.2, False), (0.02, False), (0.001, True)])
def test_precision_is_on_a_logarithmic_axis_where_positives_are_rare(prevalence, powers):
    points = report_files.curves(prevalence)["precision_recall"]
    found = labels(charts.precision_recall(points, prevalence=prevalence))
    assert f"a random order: {100 * prevalence:g} %" in found
    assert ("0.1 %" in found, "40 %" in found[6:]) == (powers, not powers)


@pytest.mark.parametrize("n", [1, 2, 40])
def test_scores_of_any_number_of_bins_are_drawn(n):
    table = pd.DataFrame({"score": np.linspace(-6, -1, n), "positives": 1 / n, "negatives": 1 / n})
    assert {"benign", "cancers"} <= set(labels(charts.scores(table)))


@pytest.mark.parametrize("prevalence", [0.2, 0.01, 0.001])
def test_every_bin_has_its_mark_in_the_order_of_the_probabilities(prevalence):
    mean = prevalence * np.geomspace(0.001, 4, 10)
    share = np.where(mean < prevalence, 0, mean)
    table = bins(mean, share, share / 2, np.where(share > 0, share * 1.2, 0.01))
    found = marks(charts.calibration({"after": table})["after"])
    assert len(found) == 10
    assert len({x for x, _ in found}) == 10
    assert all(0 < x < 360 and 0 < y < 324 for x, y in found)


@pytest.mark.parametrize(("high", "drawn_at"), [(0.05, 0.05), (0.0, 1.0), (np.nan, 1.0)])
def test_a_bin_without_positives_is_drawn_at_its_upper_limit(high, drawn_at):
    empty = bins([0.001, 0.5], [0, 0.5], [0, 0.4], [high, 0.6])
    full = bins([0.001, 0.5], [drawn_at, 0.5], [0, 0.4], [1, 0.6])
    found = charts.calibration({"empty": empty, "full": full})
    assert sorted(marks(found["empty"])) == sorted(marks(found["full"]))


def test_curves_before_and_after_calibration_have_the_same_axes():
    one = bins([0.01, 0.2], [0.02, 0.2], [0.01, 0.1], [0.03, 0.3])
    other = bins([0.0001, 0.2], [0.02, 0.2], [0.01, 0.1], [0.03, 0.3])
    found = charts.calibration({"one": one, "other": other})
    assert marks(found["one"])[1] == marks(found["other"])[1]
    assert marks(found["one"])[0] != marks(found["other"])[0]


def test_bins_that_are_all_empty_and_probabilities_of_zero_are_drawn():
    table = bins([0.0, 1e-9], [0, 0], [0, 0], [0.2, 0.1])
    assert len(marks(charts.calibration({"after": table})["after"])) == 2


@pytest.mark.parametrize("n", [1, 2, 30])
def test_a_training_of_any_number_of_epochs_has_a_mark_per_epoch_and_curve(n):
    chart = charts.training({ONE: epochs(n)}, {ONE: n - 1})[ONE]
    assert len(marks(chart)) == 2 * n  # validation loss and pAUC; the training loss is grey
    assert {"training", "validation", "loss", "pAUC", "epoch"} <= set(labels(chart))


def test_folds_have_the_same_axes():
    found = charts.training({ONE: epochs(), TWO: epochs().assign(pauc=0.2)}, {ONE: 0, TWO: 0})
    losses = [[m for m in marks(chart) if m in marks(found[ONE])] for chart in found.values()]
    assert losses[1] == losses[0][:4]


def test_the_best_epoch_moves_the_line():
    one, other = (charts.training({ONE: epochs()}, {ONE: best})[ONE] for best in (0, 3))
    assert one != other
    assert marks(one) == marks(other)
