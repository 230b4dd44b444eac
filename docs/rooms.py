"""Draw the rooms of the package and the arrows between them: `make architecture`.

    python docs/rooms.py docs/rooms.svg

Layers are those of .importlinter, boxes say what each room's docstring says, and arrows are the
imports of the code. An arrow that follows from two others is left out.
"""

import ast
import sys
import textwrap
from configparser import ConfigParser
from html import escape
from pathlib import Path
from typing import NamedTuple

import grimp

ROOT = Path(__file__).parents[1]
PACKAGE = "skinlesion"
GROUND = {"metrics", "command", "params", "quiet", "errors"}  # every room may stand on these
WIDTH, BOX_W, BOX_H, ROW_H, MARGIN = 1160, 264, 84, 132, 24


class Box(NamedTuple):
    """A room's place in the picture: its upper left corner, in pixels."""

    x: float
    y: float


def layers() -> list[list[str]]:
    """Read the layers of the contract, the highest first; the ground is the last."""
    config = ConfigParser()
    config.read(ROOT / ".importlinter")
    lines = config["importlinter:contract:rooms"]["layers"].split("\n")
    rows = [[name.strip() for name in line.split("|")] for line in lines if line.strip()]
    return [row for row in rows if not GROUND & set(row)]


def arrows(rooms: set[str]) -> set[tuple[str, str]]:
    """List which room imports which, without what follows from two other arrows."""
    graph = grimp.build_graph(PACKAGE)
    direct = {
        (one, other)
        for one in rooms
        for other in rooms - {one}
        if graph.find_shortest_chain(f"{PACKAGE}.{one}", f"{PACKAGE}.{other}", as_packages=True)
    }
    implied = {(a, c) for a, b in direct for b2, c in direct if b == b2}
    return direct - implied


def described(room: str) -> str:
    """Return the first line of a room's docstring."""
    path = ROOT / "src" / PACKAGE / room
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return (ast.get_docstring(ast.parse(source.read_text())) or "").partition("\n")[0]


def placed(rows: list[list[str]]) -> dict[str, Box]:
    """Place each row's rooms side by side, centred."""
    found = {}
    for i, row in enumerate(rows):
        gap = (WIDTH - 2 * MARGIN - len(row) * BOX_W) / (len(row) + 1)
        for k, room in enumerate(row):
            found[room] = Box(MARGIN + gap + k * (BOX_W + gap), MARGIN + i * ROW_H)
    return found


def drawn(rows: list[list[str]]) -> str:
    """Write the picture as SVG."""
    boxes = placed(rows)
    height = 2 * MARGIN + (len(rows) - 1) * ROW_H + BOX_H + 56
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="Helvetica, Arial, sans-serif">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#56708a"/></marker></defs>',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        *(_arrow(boxes[one], boxes[other]) for one, other in sorted(arrows(set(boxes)))),
        *(_box(room, box) for room, box in boxes.items()),
        f'<text x="{WIDTH / 2}" y="{height - 26}" text-anchor="middle" font-size="14" '
        'fill="#444444">the ground, which every room may import: '
        f"{', '.join(sorted(GROUND))}</text>",
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _arrow(start: Box, end: Box) -> str:
    x1, y1, x2, y2 = start.x + BOX_W / 2, start.y + BOX_H, end.x + BOX_W / 2, end.y
    bend = (y2 - y1) / 2
    path = f"M{x1:.0f} {y1:.0f}C{x1:.0f} {y1 + bend:.0f} {x2:.0f} {y2 - bend:.0f} {x2:.0f} {y2:.0f}"
    return f'<path d="{path}" fill="none" stroke="#8aa0b5" marker-end="url(#tip)"/>'


def _box(room: str, box: Box) -> str:
    lines = textwrap.wrap(described(room), 38)[:3]
    text = "".join(f'<tspan x="{box.x + 14:.0f}" dy="16">{escape(line)}</tspan>' for line in lines)
    return (
        f'<rect x="{box.x:.0f}" y="{box.y:.0f}" width="{BOX_W}" height="{BOX_H}" rx="6" '
        'fill="#f4f7fa" stroke="#56708a"/>'
        f'<text x="{box.x + 14:.0f}" y="{box.y + 22:.0f}" font-size="16" font-weight="600" '
        f'fill="#1d2b3a">{room}</text>'
        f'<text y="{box.y + 26:.0f}" font-size="12" fill="#444444">{text}</text>'
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(drawn(layers()), encoding="utf-8")
