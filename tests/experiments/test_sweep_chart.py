"""experiments.sweep_chart: every experiment in every panel, and no text over another."""

import io
import itertools

import pytest
from tests import sweeps

from skinlesion.errors import InputError
from skinlesion.experiments import sweep, sweep_chart


def read(rows, *, match: str = "*") -> sweep.Results:
    return sweep.read(rows, sweeps.KNOWN, metric="oof.pauc", match=match)


@pytest.fixture
def rows():
    return [
        sweeps.row(None, 0.14),
        sweeps.row("a", 0.13, augment__cutout__rate=0.5),
        sweeps.row("b", 0.15, augment__cutout__rate=0.25, resample__negatives_per_positive="None"),
        sweeps.row("c", 0.12),
    ]


ONE_PARAM = [
    sweeps.row(str(i), i / 100, train__n_epochs=float(i % 15))
    | {"oof.pauc_low": 0.0, "oof.pauc_high": 1}
    for i in range(30)
]


def boxes(texts) -> list:
    return [text.get_window_extent() for text in texts if text.get_text()]


def overlaps(one, other) -> bool:
    return min(one.x1, other.x1) - max(one.x0, other.x0) > 1 and (
        min(one.y1, other.y1) - max(one.y0, other.y0) > 1
    )


DIFFERENT = {"train.learning_rate": 0.002, "keras.precision": "mixed_float16", "data.raw": "data"}


@pytest.mark.parametrize(
    "given",
    [sweeps.grid(), sweeps.grid(2), ONE_PARAM, [sweeps.row(None, 0.1) | DIFFERENT, *ONE_PARAM]],
    ids=["4 params", "shorter", "15 values", "other baseline"],
)
def test_no_text_of_the_picture_covers_another_or_is_cut_off(given):
    figure = sweep_chart.draw(read(given))
    figure.draw_without_rendering()
    panels = figure.axes
    written = [figure._suptitle, *figure.legends[0].get_texts(), panels[0].yaxis.label]
    written += [axes.xaxis.label for axes in panels]
    level = [tick for axes in panels for tick in axes.get_xticklabels() if not tick.get_rotation()]

    for one, other in itertools.combinations(boxes([*written, *level]), 2):
        assert not overlaps(one, other)
    for box in boxes([*written, *(tick for axes in panels for tick in axes.get_xticklabels())]):
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= figure.bbox.x1
        assert box.y1 <= figure.bbox.y1


def test_equal_results_give_equal_bytes():
    files = io.BytesIO(), io.BytesIO()
    for file, given in zip(files, (sweeps.grid(), sweeps.grid()[::-1]), strict=True):
        sweep_chart.draw(read(given)).savefig(file)

    assert files[0].getvalue() == files[1].getvalue()


def test_every_panel_has_a_dot_per_experiment(rows):
    figure = sweep_chart.draw(read(rows))

    assert [axes.get_xlabel() for axes in figure.axes] == [
        "resample negatives per\npositive",
        "cutout rate",
    ]
    for axes in figure.axes:
        dots, best = axes.collections[:2]
        assert sorted(dots.get_offsets()[:, 1]) == [0.12, 0.13, 0.15]
        assert best.get_offsets()[:, 1].tolist() == [0.15]


def test_values_are_in_their_order_numbers_first():
    given = [
        sweeps.row(f"{v}", 0.1, resample__negatives_per_positive=v) for v in ("None", 10.0, 9.0)
    ]
    (axes,) = sweep_chart.draw(read(given)).axes

    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["9", "10", "null"]


def test_experiments_that_differ_in_nothing_cannot_be_drawn(rows):
    with pytest.raises(InputError, match="must differ in a param"):
        sweep_chart.draw(read(rows, match="a"))
