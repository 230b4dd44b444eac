"""evaluation.usefulness: the look budget, the net benefit and the cost of one set of lesions."""

import pytest
from tests.evaluation.test_net_benefit import risky
from tests.resampling import both, drawn

from skinlesion.evaluation import cost, curves, look_budget, net_benefit, usefulness


def measured(cost_ratio: float | None = 20.0) -> tuple:
    table = risky(0).assign(score=lambda t: t["probability"])
    orders = {"model": table, "baseline": table.assign(score=-table["score"])}
    return usefulness.measures(orders, both(table), levels=[0.8], cost_ratio=cost_ratio)


def test_each_part_is_that_of_its_module():
    table = risky(0).assign(score=lambda t: t["probability"])
    details, drawn_curves = measured()
    assert details["cost"] == cost.measures(table, both(table), ratio=20.0)
    assert details["net_benefit"] == net_benefit.measures(table, both(table).free)[0]
    expected = look_budget.curve(table, drawn(table))
    assert drawn_curves["look_budget"]["sensitivity"].equals(expected["sensitivity"])


@pytest.mark.parametrize("name", ["look_budget", "net_benefit"])
def test_curves_have_the_columns_that_are_promised(name):
    assert list(measured()[1][name].columns) == curves.CURVES[name]


def test_without_a_ratio_there_is_no_cost():
    assert measured(None)[0]["cost"] is None
