"""A git repository with a pipeline of two stages that learn nothing: main, and two changes of it.

The stages copy what was drawn for them; names and layout are those of the project.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from ruamel.yaml import YAML
from sklearn.metrics import roc_curve

from skinlesion import metrics

ROOT = Path(__file__).parents[1]
SHARPNESS = {"main": 2.0, "worse": 0.5, "better": 3.0}  # how far positives stand out, by branch
ADDED = {
    "tiny": {"sharpness": SHARPNESS["main"]},
    "measure": {"min_tpr": 0.8, "n_resamples": 200, "confidence": 0.95, "seed": 5},
    "pull_request": {"max_pauc_drop": 0.005},
}
CONFIG = """[core]
    analytics = false
    remote = team
['remote "team"']
    url = ../../nowhere
"""
IGNORED = "/.venv\n/calibrated\n/metrics/train\n/metrics/report.html\n__pycache__/\n"
PIPELINE = """
stages:
  predict:
    cmd: cp -r drawn/calibrated . && mkdir -p metrics && cp -r drawn/train metrics
    deps: [drawn/calibrated, drawn/train]
    params: [tiny]
    outs: [calibrated, metrics/train]
  evaluate:
    cmd: cp -r drawn/plots drawn/evaluation.json drawn/report.html metrics
    deps: [drawn/plots, drawn/evaluation.json, drawn/report.html, calibrated]
    outs:
      - metrics/plots: {cache: false}
      - metrics/report.html
    metrics:
      - metrics/evaluation.json: {cache: false}
plots:
  - ROC curve:
      template: simple
      x: fpr
      y: {metrics/plots/holdout_roc.csv: tpr, metrics/plots/oof_roc.csv: tpr}
  - Loss by epoch (fold 0):
      template: simple
      x: step
      y: {metrics/train/loss.tsv: loss}
  - metrics/plots/tile.png
"""


def scores(name: str, sharpness: float) -> pd.DataFrame:
    """Of 400 lesions of 100 patients, a fifth of them positives."""
    target = np.arange(400) % 5 == 0
    noise = np.random.default_rng(len(name)).normal(size=400)
    return pd.DataFrame(
        {
            "isic_id": [f"ISIC_{i:07d}" for i in range(400)],
            "patient_id": [f"IP_{i // 4:07d}" for i in range(400)],
            "target": target.astype(int),
            "score": noise + sharpness * target,
        }
    )


def draw(folder: Path, sharpness: float) -> None:
    """Write what the stages copy, so that no stage has to start Python."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("calibrated", "train", "plots"):
        (folder / name).mkdir(parents=True)
    found = {}
    for name in ("holdout", "oof"):
        table = scores(name, sharpness)
        table.to_csv(folder / f"calibrated/{name}.csv", index=False)
        y_true, y_score = table["target"], table["score"]
        pauc = metrics.partial_auc(y_true, y_score)
        found[name] = {"pauc": pauc, "auc": metrics.auc(y_true, y_score)}
        fpr, tpr, _ = roc_curve(y_true, y_score)
        curve = pd.DataFrame({"fpr": fpr, "tpr": tpr})
        curve.to_csv(folder / f"plots/{name}_roc.csv", index=False)
    found["holdout"] |= {"pauc_low": pauc - 0.02, "pauc_high": pauc + 0.02}
    (folder / "evaluation.json").write_text(json.dumps(found))
    (folder / "report.html").write_text(f"<p>{sharpness}</p>")
    losses = [f"{epoch}\t{1 / (1 + sharpness * epoch)}\n" for epoch in range(8)]
    (folder / "train/loss.tsv").write_text("step\tloss\n" + "".join(losses))
    Image.new("RGB", (8, 8)).save(folder / "plots/tile.png")


def environment(folder: Path) -> dict[str, str]:
    """Of a shell in a clone: its own code, no proxy, and no cache but its own."""
    return os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(folder / "src"),
        "DVC_SITE_CACHE_DIR": str(folder.parent / f"site-{folder.name}"),
        "ITERATIVE_DO_NOT_TRACK": "1",
        "NO_PROXY": "127.0.0.1",
    }


def shell(folder: Path, line: str) -> str:
    """Run a line that must succeed, in bash as a workflow does; return its output."""
    ran = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", line],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def install(clone: Path) -> None:
    """Put the command `skinlesion` where `make .venv/installed` does; it runs the clone's code."""
    program = clone / ".venv/bin/skinlesion"
    program.parent.mkdir(parents=True)
    program.write_text(
        f"#!{sys.executable}\nimport sys\nfrom skinlesion import cli\nsys.exit(cli.main())\n"
    )
    program.chmod(0o755)


def commit(folder: Path, message: str) -> None:
    shell(folder, f"git add . && git -c user.name=x -c user.email=x@y commit -qm {message!r}")


def run_and_share(folder: Path, branch: str) -> None:
    """Run the pipeline on a branch, commit what it wrote, and push its data."""
    yaml = YAML()
    given = yaml.load(folder / "params.yaml")
    given["tiny"]["sharpness"] = SHARPNESS[branch]
    yaml.dump(given, folder / "params.yaml")
    draw(folder / "drawn", SHARPNESS[branch])
    shell(folder, "dvc repro --quiet")
    commit(folder, branch)
    shell(folder, "dvc push --quiet")


def place(parent: Path) -> Path:
    """Where the repository lies; its remote is the folder beside it."""
    return parent / "forge" / "origin"


def make(parent: Path) -> None:
    """Make the repository."""
    folder = place(parent)
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / ".dvc").mkdir()
    yaml = YAML()
    given = yaml.load(ROOT / "params.yaml")
    yaml.dump(given | ADDED, folder / "params.yaml")
    contents = {
        "dvc.yaml": PIPELINE,
        ".gitignore": IGNORED,
        ".dvc/config": CONFIG,
        ".dvc/.gitignore": "/config.local\n/tmp\n/cache\n",
        ".dvc/config.local": remote(folder),
    }
    for name, text in contents.items():
        (folder / name).write_text(text)
    shell(folder, "git init --quiet --initial-branch main")
    run_and_share(folder, "main")
    for branch in ("worse", "better"):
        shell(folder, f"git switch --quiet --create {branch} main")
        run_and_share(folder, branch)
    shell(folder, "git switch --quiet main")
    (folder / "README.md").write_text("Main has moved on since.\n")
    commit(folder, "later")


def cloned(origin: Path, branch: str, folder: Path, *, credentials: bool = True) -> Path:
    """Clone a branch into a folder: all commits, no data."""
    shell(origin.parent, f"git clone --quiet --branch {branch} {origin} {folder}")
    if credentials:
        (folder / ".dvc/config.local").write_text(remote(origin))
    return folder


def remote(origin: Path) -> str:
    """What only those with credentials know: where the data is."""
    return f"['remote \"team\"']\n    url = {origin.parent / 'remote'}\n"


def edit(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new))
