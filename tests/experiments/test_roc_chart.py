"""experiments.roc_chart: a ROC curve as text, true to the points that it is drawn from."""

import re

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from skinlesion.errors import InputError
from skinlesion.experiments import roc_chart


def table(fpr, tpr) -> bytes:
    rows = [f"{x},{y}" for x, y in zip(fpr, tpr, strict=True)]
    return "\n".join(["fpr,tpr", *rows]).encode()


DIAGONAL = table([0, 1], [0, 1])
PERFECT = table([0, 0, 1], [0, 1, 1])


def lines(chart: str) -> list[np.ndarray]:
    found = re.findall(r"^  line \[(.*)\]$", chart, re.MULTILINE)
    return [np.array(line.split(", "), float) for line in found]


def test_a_straight_line_stays_one_and_a_perfect_curve_begins_at_the_top():
    before, after = lines(roc_chart.mermaid(DIAGONAL, PERFECT))

    np.testing.assert_allclose(before, np.linspace(0, 1, before.size), atol=6e-4)
    assert np.all(after == 1)


def test_a_curve_keeps_its_area_and_never_falls():
    rng = np.random.default_rng(3)
    y_true = np.arange(2_000) % 10 == 0
    fpr, tpr, _ = roc_curve(y_true, rng.normal(size=2_000) + 1.5 * y_true)
    [curve] = lines(roc_chart.mermaid(None, table(fpr, tpr)))

    area = np.trapezoid(curve, np.linspace(0, 1, curve.size))
    assert area == pytest.approx(np.trapezoid(tpr, fpr), abs=0.01)
    assert np.all(np.diff(curve) >= 0)


@pytest.mark.parametrize(
    ("files", "words", "colours"),
    [
        ((DIAGONAL, PERFECT), "violet before, blue after", "#945dd6, #13adc7"),
        ((DIAGONAL, None), "violet before", "#945dd6"),
        ((None, PERFECT), "blue after", "#13adc7"),
    ],
)
def test_each_line_is_named_by_its_colour(files, words, colours):
    chart = roc_chart.mermaid(*files)

    assert f'title "ROC curve: {words}"' in chart
    assert f'plotColorPalette: "{colours}"' in chart
    assert chart.startswith("```mermaid\n---\n")
    assert chart.endswith("\n```")


def test_where_there_is_no_curve_there_is_no_chart():
    assert roc_chart.mermaid(None, None) == ""


@pytest.mark.parametrize("text", [b"", b"x,y\n0,1", b"fpr,tpr\n0,high", b"\xff\x00"])
def test_what_is_no_table_of_a_curve_is_refused(text):
    with pytest.raises(InputError, match="must be a table with fpr and tpr"):
        roc_chart.mermaid(text, PERFECT)
