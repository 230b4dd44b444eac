"""The pipeline against what one would otherwise run: the customary recipe in `recipe.py`.

    python benchmarks/starter.py [tiny|usual|large]

The same lesions, network, optimizer and batch, each side in processes of its own that take turns:
images per second of fitting and of scoring, by the clock and by processor time, which a shared
machine sways less; peak memory, and seconds to the end of the first step. At size large also the
peak memory of fitting a small network where the table has 100,000 lesions.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import drawn
import harness
import numpy as np
import results

# (backbone, px, lesions, steps of each epoch), and rounds
PLANS: dict[str, tuple[list[tuple[str, int, int, int]], int]] = {
    "tiny": ([("tiny", 32, 96, 2)], 1),
    "usual": ([("tiny", 64, 2048, 32)], 2),
    "large": (
        [
            ("tiny", 64, 50_000, 128),
            ("tiny", 128, 4096, 64),
            ("efficientnetv2_b2", 64, 4096, 38),
            ("efficientnetv2_b2", 128, 1024, 8),
        ],
        3,
    ),
}
N_EPOCHS = 2  # timed, after one of a single batch
SMALL = ("tiny", 32)
N_LESIONS, N_STEPS = 100_000, 4  # where memory is compared


class Ran(NamedTuple):
    """What one side has fitted, and how it scores."""

    n_lesions: int
    batch_size: int
    ends: list[tuple[float, float]]  # of each epoch: seconds since 1970, and of processor time
    score: Callable[[], object]


def pipeline(folder: Path, name: str, px: int, steps: Sequence[int]) -> Ran:
    from skinlesion.network import backend

    backend.start(backend.Params(backend="tensorflow", precision="float32", seed=0))
    import networks

    from skinlesion.dataset import stores
    from skinlesion.dataset.fold_seed import FoldSeed
    from skinlesion.network import model
    from skinlesion.scoring import executor, lesions, predict
    from skinlesion.training import fitting, fold, phases

    p, ends = networks.train_params(len(steps)), []
    given, y_true, encoder = networks.lesions(folder, px=px)
    plan = networks.architecture(name, px, given.tabular.shape[1])
    plan_of_epochs = [networks.epoch(given, y_true, n * p.batch_size) for n in steps]
    with redirect_stdout(sys.stderr):
        fitting.fit(
            model.build(plan),
            fold.Examples(plan_of_epochs, networks.validation(given, y_true), given.isic_ids),
            phases.Recipe(train=p, augment=networks.augmentation("default")),
            log=lambda epoch, values: ends.append(_now()),
        )

    @cache  # at the first call, which is not timed
    def prepared() -> Any:
        return networks.untrained(plan, encoder)

    def score() -> None:
        models, store = {FoldSeed(0): prepared()}, stores.open_store(folder / "train-image.hdf5")
        source = lesions.Source(folder / "train-metadata.csv", executor.Here(models, store))
        scoring = predict.Params(batch_size=p.batch_size, engine="auto", strict=True)
        for _ in predict.score(models, source, scoring):
            pass

    return Ran(len(given), p.batch_size, ends, score)


def starter(folder: Path, name: str, px: int, steps: Sequence[int]) -> Ran:
    import networks
    import recipe

    from skinlesion.network import model

    p, ends = networks.train_params(1), []
    table = recipe.read(folder)
    given, space = recipe.features(table, networks.PARAMS)
    held = recipe.held(table, given, recipe.tiles(folder / "train-image.hdf5", table["isic_id"]))
    plan = networks.architecture(name, px, recipe.n_features(space))
    logits = recipe.compiled(model.logits_of(model.build(plan)), p)
    options = {"px": px, "batch_size": p.batch_size}
    fitted = recipe.dataset(held, space, **options, augmented=True)
    scored = recipe.dataset(held, space, **options, augmented=False)
    for n in steps:
        logits.fit(fitted.take(n), validation_data=scored.take(1), shuffle=False, verbose=0)
        ends.append(_now())
    return Ran(len(table), p.batch_size, ends, lambda: logits.predict(scored, verbose=0))


SIDES = {"pipeline": pipeline, "starter": starter}


def rates(side: str, folder: str, name: str, px: int, n_steps: int) -> dict[str, float]:
    ran = SIDES[side](Path(folder), name, px, [1, *[n_steps] * N_EPOCHS])
    fit = harness.Took(*np.median(np.diff(ran.ends, axis=0), axis=0).tolist())
    score = harness.medians({"score": ran.score}, n_rounds=2)["score"]
    n_fit = n_steps * ran.batch_size
    return {
        "first": ran.ends[0][0],
        "fit_per_s": n_fit / fit.seconds,
        "fit_per_cpu_s": n_fit / fit.cpu_seconds,
        "score_per_s": ran.n_lesions / score.seconds,
        "score_per_cpu_s": ran.n_lesions / score.cpu_seconds,
    }


def fit(side: str, folder: str) -> None:
    SIDES[side](Path(folder), *SMALL, [N_STEPS])


def _now() -> tuple[float, float]:
    return time.time(), time.process_time()


def compare(folder: Path, plan: tuple[str, int, int, int], n_rounds: int) -> list[dict[str, Any]]:
    name, px, n_lesions, n_steps = plan
    drawn.folder(folder, n_lesions=n_lesions, n_tiles=512, linked=False)
    found: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
    for _ in range(n_rounds):
        for side, rounds in found.items():
            per_s, took = harness.apart(rates, side, str(folder), name, px, n_steps)
            per_s["first_step_s"] = per_s.pop("first") - took.started
            rounds.append(per_s | took.row)
    rows = []
    for side, rounds in found.items():
        middle = {key: float(np.median([r[key] for r in rounds])) for key in rounds[0]}
        rows.append({"network": name, "px": px, "lesions": n_lesions, "side": side} | middle)
    return rows


def memory(folder: Path, n_lesions: int) -> list[dict[str, Any]]:
    """Compare what the sides hold at their peak, in one short epoch of a small network.

    Args:
        folder: Where the lesions are drawn. Few tiles serve all of them; the recipe holds the
            bytes of each all the same.
        n_lesions: Of the table.
    """
    drawn.folder(folder, n_lesions=n_lesions)
    rows = []
    for side in SIDES:
        _, took = harness.apart(fit, side, str(folder))
        rows.append({"lesions": n_lesions, "side": side} | took.row)
    return rows


def main(size: str) -> None:
    plans, n_rounds = PLANS[size]
    rows = []
    for plan in plans:
        with tempfile.TemporaryDirectory() as scratch:
            rows += compare(Path(scratch), plan, n_rounds)
        results.report("starter", rows)  # as far as it is; the next network may take long
    if size == "large":
        with tempfile.TemporaryDirectory() as scratch:
            results.report("starter: memory", memory(Path(scratch), N_LESIONS))


if __name__ == "__main__":
    main(harness.size(sys.argv[1:]))
