"""The light runtime: how large is an environment that scores a bundle, and how soon does it score?

    python benchmarks/light.py BUNDLE METADATA IMAGES

Makes an environment of its own, with what `pip install skinlesion` brings; packages are downloaded.
Reach: 500 MB, and 1.5 s from the command to the score of one lesion.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("tensorflow", "keras", "dvc", "pyarrow", "sklearn", "matplotlib")
N_ROUNDS = 7
NONE = "import importlib.util, sys; print(*filter(importlib.util.find_spec, sys.argv[1:]))"


def main(bundle: Path, metadata: Path, images: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        env, one = Path(folder) / "env", Path(folder) / "one.csv"
        subprocess.run(["uv", "venv", "--quiet", "--python", sys.executable, env], check=True)
        python = env / "bin" / "python"
        package = Path(folder) / "package"  # apart: to build leaves files behind
        shutil.copytree(ROOT / "src" / "skinlesion", package / "src" / "skinlesion")
        shutil.copy(ROOT / "pyproject.toml", package)
        subprocess.run(["uv", "pip", "install", "--quiet", "--python", python, package], check=True)
        heavy = subprocess.check_output([python, "-c", NONE, *HEAVY], text=True, cwd=folder).split()
        if heavy:
            raise SystemExit(f"the environment must do without {heavy}.")
        pd.read_csv(metadata, nrows=1, dtype=str).to_csv(one, index=False)
        line = [env / "bin" / "skinlesion", "score", *map(Path.absolute, (bundle, one, images))]
        seconds = [_seconds([*line, Path(folder) / "out"], folder) for _ in range(N_ROUNDS)]
        n_bytes = sum(
            f.stat().st_size for f in env.rglob("*") if f.is_file() and not f.is_symlink()
        )
        print(f"environment: {n_bytes / 1e6:.0f} MB")
        print(f"from the command to one score: first {seconds[0]:.2f} s (compiling the packages), ")
        print(f"then {np.median(seconds[1:]):.2f} s, median of {N_ROUNDS - 1}")


def _seconds(line: list[Path | str], folder: str) -> float:
    start = time.perf_counter()
    subprocess.run(line, check=True, cwd=folder, capture_output=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
