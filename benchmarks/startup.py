"""What it costs to do nothing: `dvc repro` when all is done, and the imports of each stage.

    python benchmarks/startup.py [tiny|usual|large]

`dvc repro` runs in a clone whose outputs are stand-ins that DVC was told to take as done.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import harness
import numpy as np
import results
from ruamel.yaml import YAML

IDLE = "dvc repro, nothing to do: 5 s at most"
N_ROUNDS = {"tiny": 1, "usual": 2, "large": 5}
DVC = (sys.executable, "-m", "dvc")
STAGES = YAML(typ="safe").load(harness.ROOT / "dvc.yaml")["stages"]
IMPORTS = "import runpy, sys; runpy.run_path(sys.argv[1], run_name='imported')"


def done(clone: Path) -> None:
    """Clone this repository, put a stand-in wherever DVC expects a file, and have it recorded."""
    subprocess.run(["git", "clone", "--quiet", str(harness.ROOT), str(clone)], check=True)
    from dvc.repo import Repo

    with Repo(str(clone)) as repo:
        named = {Path(o.fs_path) for s in repo.index.stages for o in (*s.deps, *s.outs)}
    for path in sorted(named, key=lambda p: -len(p.parts)):  # a folder after what it holds
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{path.name}\n")
    harness.spent([*DVC, "commit", "--force", "--quiet"], cwd=clone)


def repro(clone: Path) -> harness.Spent:
    """Run `dvc repro`, which must find nothing to do."""
    took = harness.spent([*DVC, "repro"], cwd=clone)
    changed = subprocess.run(
        [*DVC, "status", "--quiet"], cwd=clone, capture_output=True, check=False
    )
    if changed.returncode:
        raise RuntimeError("dvc repro must leave nothing to do.")
    return took


def imports(stage: str) -> harness.Spent:
    """Import what a stage imports."""
    return harness.spent([sys.executable, "-c", IMPORTS, f"stages/{stage}.py"])


def _row(what: str, rounds: list[harness.Spent]) -> dict[str, Any]:
    middle = {k: float(np.median([r.row[k] for r in rounds])) for k in rounds[0].row}
    return {"what": what} | middle


def main(size: str) -> None:
    n_rounds = N_ROUNDS[size]
    stages = ["split"] if size == "tiny" else list(STAGES)
    with tempfile.TemporaryDirectory() as scratch:
        clone = Path(scratch) / "clone"
        done(clone)
        found: dict[str, list[harness.Spent]] = {}
        for _ in range(n_rounds):
            found.setdefault(IDLE, []).append(repro(clone))
            for stage in stages:
                found.setdefault(f"imports of {stage}", []).append(imports(stage))
    results.report("startup", [_row(what, rounds) for what, rounds in found.items()])


if __name__ == "__main__":
    main(harness.size(sys.argv[1:]))
