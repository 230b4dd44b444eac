"""Run the tests of malformed and odd inputs again and again, each time with other examples.

    python tests/fuzz.py [MINUTES]

Ends with the first failure, its example and its seed, or when the time is over. The suite itself
runs the same tests with a few hundred examples that never change.
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

TESTS = Path(__file__).parent
FACTOR = 10  # as many examples in a round as in the suite
ROUND_S = 1800  # a round takes minutes; it is ended, and failed, after half an hour


def main(minutes: float) -> int:
    end, seed, n_rounds = time.monotonic() + 60 * minutes, int(time.time()), 0
    while time.monotonic() < end:
        try:
            ran = round_of(seed + n_rounds)
        except subprocess.TimeoutExpired:
            print(f"fuzz: seed {seed + n_rounds}: no end in {ROUND_S} s")
            return 1
        n_rounds += 1
        print(f"fuzz: seed {seed + n_rounds - 1}: {ran.stdout.splitlines()[-1]}", flush=True)
        if ran.returncode:
            print(ran.stdout, ran.stderr, sep="\n")
            return 1
    return 0


def round_of(seed: int) -> subprocess.CompletedProcess[str]:
    files = sorted(map(str, TESTS.glob("test_malformed_*.py")))
    quiet = ["-q", "-p", "no:cacheprovider", "--durations=0", f"--hypothesis-seed={seed}"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *quiet, *files],
        cwd=TESTS.parent,
        env=os.environ | {"FUZZ": str(FACTOR)},
        capture_output=True,
        text=True,
        timeout=ROUND_S,
    )


if __name__ == "__main__":
    given = sys.argv[1] if len(sys.argv) > 1 else "60"
    if not re.fullmatch(r"\d+(\.\d+)?", given):
        raise SystemExit(f"error: MINUTES must be a number. Got {given!r}.")
    raise SystemExit(main(float(given)))
