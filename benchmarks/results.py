"""What benchmarks show and keep: rows as a table, with the commit and the machine."""

import json
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import ROOT

RESULTS = ROOT / "benchmarks" / "results.json"
Row = Mapping[str, Any]


def report(name: str, rows: Iterable[Row], *, path: Path = RESULTS) -> None:
    """Show rows as a table, and keep them with the commit and the machine they are of.

    Args:
        name: Of the benchmark.
        rows: All with the same keys; numbers are shown to three digits.
        path: The JSON file; what other benchmarks left in it stays.
    """
    rows = list(rows)
    print(f"\n{name}\n{table(rows)}", flush=True)
    kept = json.loads(path.read_text()) if path.exists() else {}
    kept[name] = {"machine": machine(), "rows": rows}
    path.write_text(json.dumps(kept, indent=1) + "\n")


def table(rows: Sequence[Row]) -> str:
    """Lay rows out as Markdown.

    Args:
        rows: At least one.
    """
    cells = [list(rows[0]), *([_text(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    cells.insert(1, ["-" * width for width in widths])
    lines = [[c.ljust(w) for c, w in zip(line, widths, strict=True)] for line in cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine() -> dict[str, Any]:
    """Tell what the figures are of: commit, processors, their load, and Python."""
    commit = subprocess.run(
        ["git", "-C", str(ROOT), "describe", "--always", "--dirty"], capture_output=True, text=True
    )
    return {
        "commit": commit.stdout.strip(),
        "n_processors": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
    }


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
