"""Charts as SVG to set into a page: their text is text, and their colours are the page's own.

Each is as wide as a phone when drawn at 72 pixels an inch, so that its text is readable there.
"""

import io
import re
from collections.abc import Callable

import numpy as np
from matplotlib import style
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

__all__ = ["ACCENT", "DOTTED", "INK", "MUTED", "draw", "in_percent", "percent"]

WIDTH_IN, HEIGHT_IN = 5.0, 4.5
# Stand-ins for variables of the page's stylesheet, so that charts follow it into the dark.
INK, MUTED, RULE, ACCENT = "#101112", "#606162", "#d0d1d2", "#0070b1"
VARIABLES = {INK: "--ink", MUTED: "--muted", RULE: "--rule", ACCENT: "--accent"}
STYLE = {
    "svg.fonttype": "none",
    "font.size": 11,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
}
DOTTED = (0, (2, 3))


def draw(name: str, chart: Callable[[Figure], None], *, height_in: float = HEIGHT_IN) -> str:
    """Draw a chart.

    Args:
        name: What it is of, for who cannot see it; that of no other chart of the page.
        chart: Draws into a figure, in the colours above.
        height_in: Its height in inches; its width is that of all charts.
    """
    # The defaults first: no matplotlibrc may change the page.
    with style.context(["default", {**STYLE, "svg.hashsalt": name}]):
        figure, file = Figure(figsize=(WIDTH_IN, height_in), layout="constrained"), io.StringIO()
        chart(figure)
        figure.savefig(file, format="svg", transparent=True)
    return _inlined(file.getvalue(), name)


def percent(share: float) -> str:
    """Write a share in percent, with three significant digits at the most.

    Args:
        share: Such as 0.0592 for 5.92 %.
    """
    digits = np.format_float_positional(100 * share, precision=3, trim="-", fractional=False)
    return f"{digits}\N{NO-BREAK SPACE}%"


def in_percent(axis: Axis) -> None:
    """Label an axis of shares in percent.

    Args:
        axis: Of a chart.
    """
    axis.set_major_formatter(FuncFormatter(lambda value, _: percent(value)))
    axis.set_minor_formatter(NullFormatter())


def _inlined(svg: str, name: str) -> str:
    """Cut a file down to what a page needs, and make its ids those of this chart alone."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", svg, flags=re.S)
    head = rf'<svg class="chart" role="img" aria-label="{name}" viewBox="\1">'
    svg = re.sub(r'<svg [^>]*?viewBox="([^"]+)"[^>]*>', head, svg)
    svg = re.sub(r'( id="|url\(#|href="#)', rf"\g<1>{name.replace(' ', '-')}-", svg)
    svg = re.sub(r" font-family: [^;]+;", "", svg)
    for colour, variable in VARIABLES.items():
        svg = svg.replace(colour, f"var({variable})")
    return re.sub(r">\s+<", "><", svg)
