"""The file by which a report lets a pull request pass, or not."""

import json
from collections.abc import Sequence
from pathlib import Path

from skinlesion.errors import InputError

__all__ = ["NAME", "passed", "write"]

NAME = "gate.json"  # beside the report


def write(folder: Path, verdict: str, objections: Sequence[str]) -> None:
    """Write what a report found.

    Args:
        folder: Of the report.
        verdict: In words.
        objections: What stands in the way of a merge, a sentence each.
    """
    judged = {"verdict": verdict, "objections": list(objections)}
    (folder / NAME).write_text(json.dumps(judged, indent=2) + "\n", encoding="utf-8")


def passed(folder: Path) -> str:
    """Return the verdict on a pull request that passes.

    Args:
        folder: Of its report.

    Raises:
        InputError: The report has objections, which the message lists; or there is no report.
    """
    try:
        judged = json.loads((folder / NAME).read_text(encoding="utf-8"))
        verdict, objections = judged["verdict"], judged["objections"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{folder} must hold the {NAME} of a report. {error}") from None
    if objections:
        raise InputError("\n".join(["this pull request does not pass.", *objections]))
    return str(verdict)
