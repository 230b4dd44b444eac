"""Stage `evaluate`: measure the scores of the holdout and of the out-of-fold lesions.

    python stages/evaluate.py PREDICTIONS EVALUATION_JSON PLOTS_FOLDER

Writes one set of measures and of curves for each of the two that has lesions.
"""

import json
import sys
from pathlib import Path

from skinlesion import errors, evaluation, metadata, params


def main(predictions: Path, evaluation_json: Path, plots: Path) -> None:
    p = params.load("evaluate", evaluation.Params)
    scored = {name: metadata.read(predictions / f"{name}.csv") for name in ("holdout", "oof")}
    found = {name: evaluation.measures(table, p) for name, table in scored.items() if len(table)}
    unreadable = len(metadata.read(predictions / "unreadable.csv"))
    plots.mkdir(parents=True, exist_ok=True)
    evaluation_json.parent.mkdir(parents=True, exist_ok=True)
    evaluation_json.write_text(
        json.dumps(found | {"test": {"n_unreadable": unreadable}}, indent=1) + "\n"
    )
    for name, table in scored.items():
        for curve, points in evaluation.curves(table, p).items():
            points.to_csv(plots / f"{name}_{curve}.csv", index=False)
    print(evaluation.summary(found))


if __name__ == "__main__":
    errors.run(main, *map(Path, sys.argv[1:]))
