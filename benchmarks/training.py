"""How close training comes to its limit: the same network fed one batch that lies ready.

    python benchmarks/training.py [tiny|usual|large] [PRECISION]

Images per second of `training.fit` on real batches, of the network alone, and of the input
pipeline alone, timed in turn, epoch by epoch, within one training. The last column is the ratio
of processor time, which other processes on the machine hardly move. An epoch has a fixed cost,
so its short ones at size usual are a little too far from the limit: the large size tells.
"""

import importlib.util
import os
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

# (backbone, px, steps per epoch, augmentation), and backends
Plan = tuple[tuple[str, int, int, str], list[str]]
ONE, BOTH = ["tensorflow"], ["tensorflow", "jax"]
GRID = [
    ("tiny", 64, 35),
    ("tiny", 128, 35),
    ("efficientnetv2_b2", 64, 38),
    ("efficientnetv2_b2", 128, 12),
]
PLANS: dict[str, list[Plan]] = {
    "tiny": [(("tiny", 32, 2, "default"), BOTH)],
    "usual": [
        (("tiny", 64, 20, "off"), ONE),
        (("tiny", 64, 20, "default"), BOTH),
        (("tiny", 64, 20, "all"), ONE),
        (("efficientnetv2_b2", 64, 12, "default"), ONE),
    ],
    "large": [((*network, which), BOTH) for network in GRID for which in ("off", "default", "all")],
}
N_ROUNDS = {"tiny": 1, "usual": 2, "large": 3}


def measure(folder: str, size: str, backend_name: str, precision: str) -> list[dict[str, Any]]:
    os.environ["KERAS_BACKEND"] = backend_name  # before Keras is imported
    from skinlesion.network import backend

    backend.start(backend.Params(backend=backend_name, precision=precision, seed=0))
    rows = []
    for plan, backends in PLANS[size]:
        if backend_name in backends:
            name, px, _, augmentation = plan
            given = {"backend": backend_name, "precision": precision, "network": name, "px": px}
            rates = _rates(Path(folder), *plan, N_ROUNDS[size])
            rows.append(given | {"augmentation": augmentation} | rates)
            print(rows[-1], file=sys.stderr)
    return rows


def _rates(
    folder: Path, name: str, px: int, n_batches: int, augmentation: str, n_rounds: int
) -> dict[str, Any]:
    import keras
    import limits
    import networks

    from skinlesion.network import model
    from skinlesion.training import fitting, fold, input_pipeline, phases

    keras.utils.clear_session()  # the networks measured before keep their memory otherwise
    p, changes = networks.train_params(1 + n_rounds), networks.augmentation(augmentation)
    lesions, y_true, _ = networks.lesions(folder, px=px)
    data = networks.epoch(lesions, y_true, n_batches * p.batch_size)
    plan = networks.architecture(name, px, lesions.tabular.shape[1])
    given = {"batch_size": p.batch_size, "seed": p.seed, "augmentation": changes}
    alone = input_pipeline.InputPipeline(lesions, **given)

    def read() -> None:
        for _ in alone.epoch(data, epoch=0):
            pass

    others = {"limit": limits.constant_fit(plan, n_batches), "input": read}
    seconds: dict[str, list[np.ndarray]] = {"fit": [], **{other: [] for other in others}}
    start = _now()

    def log(epoch: int, values: dict[str, float]) -> None:
        nonlocal start
        seconds["fit"].append(_now() - start)
        for other, run in others.items():
            before = _now()
            run()
            seconds[other].append(_now() - before)
        start = _now()

    with redirect_stdout(sys.stderr):
        fitting.fit(
            model.build(plan),
            fold.Examples([data], networks.validation(lesions, y_true), lesions.isic_ids),
            phases.Recipe(train=p, augment=changes),
            log=log,
        )
    # The first epoch compiles.
    timed = {of: np.array(s[1:]) for of, s in seconds.items()}  # each of shape (n_rounds, 2)
    rates = {f"{of}_per_s": len(data.rows) / float(np.median(s[:, 0])) for of, s in timed.items()}
    wall, cpu = np.median(timed["limit"] / timed["fit"], axis=0)
    return rates | {"fit/limit": float(wall), "fit/limit_cpu": float(cpu)}


def _now() -> np.ndarray:
    return np.array([time.perf_counter(), time.process_time()])


def main(size: str, precision: str = "float32") -> None:
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = drawn.folder(Path(scratch), n_lesions=1600, n_tiles=512, linked=False)
        for backend in BOTH:
            if importlib.util.find_spec(backend) is None:
                print(f"training: {backend} is not installed, so it is not measured")
                continue
            rows += harness.apart(measure, str(folder), size, backend, precision)[0]
    results.report("training", rows)


if __name__ == "__main__":
    main(harness.size(sys.argv[1:]), *sys.argv[2:])
