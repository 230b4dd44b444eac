"""Run all benchmarks, one after the other, each in a process of its own.

    python benchmarks/run.py [tiny|usual|large]

Each shows its tables, and how long it took, and keeps them in benchmarks/results.json, save
`intervals.py`, which has one size and is shown alone. docs/benchmarks.md says what they mean.
"""

import subprocess
import sys
import time

import harness
import results

BENCHMARKS = (
    "intervals",
    "startup",
    "stages",
    "boosting",
    "reading",
    "scoring",
    "bundles",
    "workers",
    "engines",
    "training",
    "starter",
)


def main(size: str) -> None:
    for i, name in enumerate(BENCHMARKS):
        script = harness.ROOT / "benchmarks" / f"{name}.py"
        given = [] if name == "intervals" else [size]  # it has one size
        print(f"\n{script.name}, {i + 1} of {len(BENCHMARKS)}", flush=True)
        start = time.monotonic()
        subprocess.run([sys.executable, str(script), *given], check=True)
        print(f"{script.name} took {time.monotonic() - start:.0f} s", flush=True)
    print(f"\nkept in {results.RESULTS}")


if __name__ == "__main__":
    main(harness.size(sys.argv[1:]))
