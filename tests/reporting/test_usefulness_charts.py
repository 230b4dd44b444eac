"""reporting.usefulness_charts: charts of the look budget and of the net benefit."""

import numpy as np
import pytest
from tests import report_files
from tests.reporting.test_charts import labels, tree

from skinlesion.reporting import usefulness_charts

CURVES = report_files.curves()
LOOKS, BENEFIT = CURVES["look_budget"], CURVES["net_benefit"]


def lines(svg: str, *, dotted: bool = False) -> int:
    """How many lines of data there are; a legend's are alike, so each counts twice there."""
    paths = [e.get("style", "") for e in tree(svg).iter("path")]
    return sum("fill: none" in s and (not dotted or "dasharray" in s) for s in paths)


def test_charts_take_their_colours_from_the_page_and_need_nothing():
    for chart in (
        usefulness_charts.look_budget(LOOKS),
        usefulness_charts.net_benefit(BENEFIT, threshold=0.01),
    ):
        assert "var(--accent)" in chart
        assert "http" not in chart.replace("http://www.w3.org", "")
        assert tree(chart).get("viewBox", "").split()[2] == "360"


def test_an_order_that_there_is_not_has_no_line_and_no_name():
    every = usefulness_charts.look_budget(LOOKS)
    fewer = usefulness_charts.look_budget(LOOKS.assign(alone=np.nan))
    assert {"the model", "each lesion alone", "the baseline", "a random order"} <= {*labels(every)}
    assert "each lesion alone" not in labels(fewer)
    assert lines(every) > lines(fewer)


def test_budgets_are_whole_numbers_on_the_axis():
    found = labels(usefulness_charts.look_budget(LOOKS))
    assert {"1", "2", "5", "10", "20", "50", "100 %"} <= {*found}


@pytest.mark.parametrize(("threshold", "marked"), [(0.01, True), (0.5, False), (None, False)])
def test_a_threshold_on_the_axis_is_marked(threshold, marked):
    chart = usefulness_charts.net_benefit(BENEFIT, threshold=threshold)
    plain = usefulness_charts.net_benefit(BENEFIT, threshold=None)
    assert (lines(chart, dotted=True) > lines(plain, dotted=True)) == marked


def test_the_net_benefit_is_per_1000_lesions_and_examining_all_may_leave_the_chart():
    found = labels(usefulness_charts.net_benefit(BENEFIT, threshold=None))
    assert "net benefit per 1,000 lesions" in found
    numbers = [float(s.replace("\N{MINUS SIGN}", "-")) for s in found if s[-1].isdigit()]
    assert max(numbers) == pytest.approx(1000 * BENEFIT["high"].max(), rel=0.4)
    assert min(numbers) > 1000 * BENEFIT["examine_all"].min()


def test_a_net_benefit_that_is_nowhere_above_none_is_drawn():
    worst = BENEFIT.assign(net_benefit=-0.01, low=-0.02, high=-0.01, examine_all=-0.1)
    assert "0.1 %" in labels(usefulness_charts.net_benefit(worst, threshold=None))
