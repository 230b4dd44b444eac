"""Run all benchmarks, one after the other, each in a process of its own.

    python benchmarks/run.py [tiny|usual|large]

Each shows its tables and keeps them in benchmarks/results.json. docs/benchmarks.md says what
they mean.
"""

import subprocess
import sys

import harness
import results

BENCHMARKS = ("startup", "stages", "reading", "scoring", "engines", "training", "starter")


def main(size: str) -> None:
    folder = harness.ROOT / "benchmarks"
    subprocess.run([sys.executable, str(folder / "intervals.py")], check=True)
    for name in BENCHMARKS:
        subprocess.run([sys.executable, str(folder / f"{name}.py"), size], check=True)
    print(f"\nkept in {results.RESULTS}")


if __name__ == "__main__":
    main(harness.size(sys.argv[1:]))
