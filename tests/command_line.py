"""Run `skinlesion` in this process."""

import sys
from pathlib import Path

from skinlesion import cli


def run(*words: str | Path) -> int:
    """Run a command line; return its exit code."""
    argv, sys.argv = sys.argv, ["skinlesion", *map(str, words)]
    try:
        cli.main()
    except SystemExit as stopped:
        return int(stopped.code or 0)
    finally:
        sys.argv = argv
    raise AssertionError("main must exit")
