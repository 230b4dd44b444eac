"""reporting.svg: a drawing that is small, and a share in few digits."""

import pytest

from skinlesion.reporting import svg


def test_a_chart_is_named_and_follows_the_colours_and_the_type_of_the_page():
    found = svg.draw("a line", lambda figure: figure.subplots().plot([0, 1], color=svg.ACCENT))

    assert found.startswith('<svg class="chart" role="img" aria-label="a line" viewBox="0 0 360 ')
    assert "var(--accent)" in found
    assert svg.ACCENT not in found
    assert "font-family" not in found
    assert len(found) < 10_000


@pytest.mark.parametrize(
    ("share", "written"),
    [(0.0592, "5.92 %"), (0.8, "80 %"), (1, "100 %"), (0.000012345, "0.00123 %"), (0, "0 %")],
)
def test_a_share_is_written_with_three_digits_at_the_most(share, written):
    assert svg.percent(share).replace("\N{NO-BREAK SPACE}", " ") == written
