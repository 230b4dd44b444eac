"""The pipeline against what one would otherwise run: the customary recipe in `recipe.py`.

    python benchmarks/starter.py [tiny|usual|large]

The same lesions, network, optimizer and batch, each side in processes of its own that take turns:
images per second of fitting and of scoring, peak memory, and seconds to the end of the first step.
"""

import sys
import tempfile
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import drawn
import harness
import numpy as np
import results

# (backbone, px, lesions, lesions that each epoch fits), and rounds
PLANS: dict[str, tuple[list[tuple[str, int, int, int]], int]] = {
    "tiny": ([("tiny", 32, 96, 64)], 1),
    "usual": ([("tiny", 64, 2048, 1024), ("efficientnetv2_b2", 64, 1280, 1216)], 2),
    "large": (
        [
            ("tiny", 64, 50_000, 4096),
            ("tiny", 128, 4096, 2048),
            ("efficientnetv2_b2", 64, 4096, 1024),
            ("efficientnetv2_b2", 128, 1024, 256),
        ],
        3,
    ),
}
N_EPOCHS = 2  # timed, after one of a single batch


def pipeline(folder: str, name: str, px: int, n_fit: int) -> dict[str, float]:
    from skinlesion import backend

    backend.start(backend.Params(backend="tensorflow", precision="float32", seed=0))
    import networks

    from skinlesion import model, predict, stores, training

    p, ends = networks.train_params(1 + N_EPOCHS), [0.0]
    lesions, y_true, encoder = networks.lesions(Path(folder), px=px)
    plan = networks.architecture(name, px, lesions.tabular.shape[1])
    network = model.build(plan)
    first, rest = (networks.epoch(lesions, y_true, n) for n in (p.batch_size, n_fit))
    with redirect_stdout(sys.stderr):
        training.fit(
            network,
            [first, *[rest] * N_EPOCHS],
            networks.validation(lesions, y_true),
            p,
            augmentation=networks.augmentation("default"),
            log=lambda epoch, values: ends.append(time.time()),
        )
    m = networks.untrained(plan, encoder)
    store = stores.open_store(Path(folder) / "train-image.hdf5")
    scoring = predict.Params(batch_size=p.batch_size, engine="auto", strict=True)

    def score() -> None:
        for _ in predict.score([m], Path(folder) / "train-metadata.csv", store, scoring):
            pass

    return _rates(ends, n_fit, harness.medians({"score": score}, n_rounds=2)["score"], len(lesions))


def starter(folder: str, name: str, px: int, n_fit: int) -> dict[str, float]:
    import networks
    import recipe

    from skinlesion import model

    p, ends = networks.train_params(1), [0.0]
    batch_size = p.batch_size
    table = recipe.read(Path(folder))
    given, space = recipe.features(table, networks.PARAMS)
    jpegs = recipe.tiles(Path(folder) / "train-image.hdf5", table["isic_id"])
    plan = networks.architecture(name, px, recipe.n_features(space))
    logits = recipe.compiled(model.logits_of(model.build(plan)), p)
    options = {"px": px, "batch_size": batch_size}
    fitted = recipe.dataset(table, given, space, jpegs, **options, augmented=True)
    scored = recipe.dataset(table, given, space, jpegs, **options, augmented=False)
    for n in (1, *[n_fit // batch_size] * N_EPOCHS):
        logits.fit(fitted.take(n), validation_data=scored.take(1), shuffle=False, verbose=0)
        ends.append(time.time())
    sides = {"score": lambda: logits.predict(scored, verbose=0)}
    return _rates(ends, n_fit, harness.medians(sides, n_rounds=2)["score"], len(table))


def _rates(ends: list[float], n_fit: int, score: harness.Took, n_scored: int) -> dict[str, float]:
    _, first, *_ = ends
    epochs = np.diff(ends[1:])
    return {
        "first": first,
        "fit_per_s": n_fit / float(np.median(epochs)),
        "score_per_s": n_scored / score.seconds,
    }


def compare(folder: Path, plan: tuple[str, int, int, int], n_rounds: int) -> list[dict[str, Any]]:
    name, px, n_lesions, n_fit = plan
    drawn.folder(folder, n_lesions=n_lesions, n_tiles=512, linked=False)
    found: dict[str, list[dict[str, float]]] = {"pipeline": [], "starter": []}
    for _ in range(n_rounds):
        for side in (pipeline, starter):
            rates, took = harness.apart(side, str(folder), name, px, n_fit)
            rates["first_step_s"] = rates.pop("first") - took.started
            found[side.__name__].append(rates | took.row)
    rows = []
    for side, rounds in found.items():
        middle = {key: float(np.median([r[key] for r in rounds])) for key in rounds[0]}
        rows.append({"network": name, "px": px, "lesions": n_lesions, "side": side} | middle)
    return rows


def main(size: str) -> None:
    plans, n_rounds = PLANS[size]
    rows = []
    for plan in plans:
        with tempfile.TemporaryDirectory() as scratch:
            rows += compare(Path(scratch), plan, n_rounds)
        results.report("starter", rows)  # as far as it is; the next network may take long


if __name__ == "__main__":
    main(harness.size(sys.argv[1:]))
