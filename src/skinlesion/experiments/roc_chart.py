"""The ROC curves of two commits as text that GitHub and GitLab draw: a chart in Mermaid."""

import io

import numpy as np
import pandas as pd

from skinlesion.errors import InputError

__all__ = ["mermaid"]

COLOURS = {"before": ("violet", "#945dd6"), "after": ("blue", "#13adc7")}  # as DVC has them
GRID = np.linspace(0, 1, 41)  # Mermaid sets the points of a line at equal distances


def mermaid(before: bytes | None, after: bytes | None) -> str:
    """Draw up to two ROC curves.

    Args:
        before: A CSV file with the columns fpr and tpr, both rising from 0 to 1; or None.
        after: The same of another commit.

    Returns:
        A block of Markdown, "" where there is no curve.

    Raises:
        InputError: A file is no such table.
    """
    files = {"before": before, "after": after}
    curves = {word: _points(file) for word, file in files.items() if file is not None}
    if not curves:
        return ""
    words = ", ".join(f"{COLOURS[word][0]} {word}" for word in curves)
    colours = ", ".join(COLOURS[word][1] for word in curves)
    lines = [f"  line [{', '.join(f'{y:.3f}' for y in curve)}]" for curve in curves.values()]
    return "\n".join(
        [
            "```mermaid",
            "---",
            "config:",
            "  theme: neutral",  # black on white, also where a reader has a dark page
            "  xyChart: {width: 480, height: 360}",
            "  themeVariables:",
            f'    xyChart: {{plotColorPalette: "{colours}"}}',
            "---",
            "xychart-beta",
            f'  title "ROC curve: {words}"',
            '  x-axis "1 - specificity (FPR)" 0 --> 1',
            '  y-axis "sensitivity (TPR)" 0 --> 1',
            *lines,
            "```",
        ]
    )


def _points(csv: bytes) -> np.ndarray:
    """The highest TPR at each FPR of the grid."""
    try:
        table = pd.read_csv(io.BytesIO(csv))[["fpr", "tpr"]].astype(float)
    except (ValueError, KeyError) as error:
        raise InputError(f"a ROC curve must be a table with fpr and tpr. {error}") from None
    highest = table.groupby("fpr")["tpr"].max()  # where the curve rises straight up
    return np.asarray(np.interp(GRID, highest.index, highest))
