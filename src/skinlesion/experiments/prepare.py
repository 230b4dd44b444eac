"""Make of a report, which may say anything, a comment that CML may post.

    python3 -m skinlesion.experiments.prepare REPORT_MD COMMENT_MD

Writes COMMENT_MD and prints the target for `cml comment update`; prints nothing where the pull
request is closed or has a newer commit. Needs nothing but Python's own library, so that a job can
run it without installing anything.
"""

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from skinlesion.errors import InputError
from skinlesion.experiments import forge

__all__ = ["comment", "prepare", "read"]

FROM_A_FORK = "Written by a run of a fork's own code, which may have made it say anything.\n\n"
CUT = "\n\nCut here; the summary of the run holds all of it.\n"
MAX_CHARS = 60_000  # GitHub takes 65,536, and CML adds its mark
MAX_BYTES = 1_000_000  # that are read of a report
AT = re.compile(r"(?<![A-Za-z0-9])(?:@|&(?:#0*64|#[xX]0*40|commat);)(?=\w)")


def prepare(report_md: Path, comment_md: Path, environment: Mapping[str, str]) -> str:
    """Write the comment, and find where it goes.

    Args:
        report_md: The report.
        comment_md: Written, unless there is no target.
        environment: Of a job of GitHub or GitLab.

    Returns:
        The target for `cml comment update`; "" where the pull request is closed or has a newer
        commit.

    Raises:
        InputError: The report is no file, the environment lacks a variable, the forge does not
            answer, or CML would write into the wrong comment.
    """
    report = read(report_md)
    on_gitlab = "GITLAB_CI" in environment
    found = forge.gitlab(environment) if on_gitlab else forge.github(environment)
    if found is None:
        return ""
    forge.check_mark(found)
    comment_md.write_text(comment(report, from_fork=found.from_fork), encoding="utf-8")
    return found.target


def read(report_md: Path) -> str:
    """Read a report that may have been written with ill will.

    Args:
        report_md: A file in UTF-8; what is not UTF-8 in it is replaced.

    Returns:
        Its text, of its first megabyte.

    Raises:
        InputError: It is a link or no file, so that its content may be another file's.
    """
    if report_md.is_symlink() or not report_md.is_file():
        raise InputError(f"{report_md} must be a file, and no link to one.")
    with report_md.open("rb") as file:
        return file.read(MAX_BYTES).decode("utf-8", errors="replace")


def comment(report: str, *, from_fork: bool) -> str:
    """Make a comment of a report.

    Args:
        report: Markdown.
        from_fork: Whether a notice stands above it.

    Returns:
        Markdown of at most 61,000 characters, in which no "@" calls anybody.
    """
    quiet = AT.sub("@\u200b", report)  # a space of no width between "@" and the name
    notice = FROM_A_FORK if from_fork else ""
    return notice + (quiet if len(quiet) <= MAX_CHARS else _cut(quiet))


def _cut(text: str) -> str:
    """Cut at the end of a line, and close what would hide the words that say so."""
    kept = text[:MAX_CHARS].rpartition("\n")[0] or text[:MAX_CHARS]
    in_block = len(re.findall(r"^```", kept, flags=re.MULTILINE)) % 2 == 1
    is_folded = kept.rfind("<details") > kept.rfind("</details>")
    return kept + "\n```" * in_block + "\n\n</details>" * is_folded + CUT


def main() -> None:
    """Read the command line, write the comment, print the target.

    Raises:
        SystemExit: With code 2 unless there are two arguments, 1 after an InputError or OSError.
    """
    if len(sys.argv) != 3:
        _end(2, "REPORT_MD and COMMENT_MD must be given.")
    try:
        target = prepare(Path(sys.argv[1]), Path(sys.argv[2]), os.environ)
    except (InputError, OSError) as error:
        _end(1, str(error))
    if not target:
        print("no comment: the pull request is closed or has a newer commit", file=sys.stderr)
    print(target)


def _end(code: int, message: str) -> NoReturn:
    print(f"error: {message}", file=sys.stderr)
    raise SystemExit(code)


if __name__ == "__main__":
    main()
