"""How scoring speeds up with the workers of a Dask cluster, and what sending the pieces costs.

    python benchmarks/workers.py [tiny|usual|large]

Workers of one thread score a table: four, then two of them, then one. Each measure stands between
measures of one process that has all processors, so that other work on the machine slows both. Then
pieces that take no time show how many lesions a second the client can send.
"""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import drawn
import harness
import pandas as pd
import results

# (backbone, px, lesions), rounds, and the numbers of workers, of which each follows a larger one
SIZES = {
    "tiny": (("tiny", 32, 256), 1, (1,)),
    "usual": (("efficientnetv2_b2", 64, 1024), 3, (4, 2, 1)),
    "large": (("efficientnetv2_b2", 64, 4096), 5, (16, 8, 4, 2, 1)),
}
BATCH_SIZE = 128  # of params.yaml
N_EMPTY = 100  # pieces that take no time


def nothing(models: Any, store: Any, piece: Any, on_steps: Callable[[int], object]) -> pd.DataFrame:
    """Give back what scoring would, without scoring.

    Args:
        models: Not used.
        store: Not used.
        piece: An `ensemble.Piece`.
        on_steps: Not called.
    """
    return pd.DataFrame({"isic_id": piece.lesions["isic_id"], "logit": 0.0, "reason": ""})


def rates(folder: str, size: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    import networks

    from skinlesion.dataset import metadata, stores
    from skinlesion.dataset.fold_seed import FoldSeed
    from skinlesion.network import backend
    from skinlesion.scoring import engine, ensemble, executor, lesions, predict

    (name, px, n), n_rounds, n_workers = SIZES[size]
    root, keras = Path(folder), backend.Params(backend="tensorflow", precision="float32", seed=0)
    backend.start(keras)
    given, _, encoder = networks.lesions(root, px=px)
    plan = networks.architecture(name, px, given.tabular.shape[1])
    models = networks.saved(plan, encoder, root / "models")
    job = executor.Plan(
        root / "models", (FoldSeed(0),), keras, partial(engine.prepared, name="auto")
    )
    images, table = root / "train-image.hdf5", root / "train-metadata.csv"
    here = executor.Here(job.prepare(models), stores.open_store(images))
    p = predict.Params(batch_size=BATCH_SIZE, engine="auto", strict=True)

    def score(run: executor.Executor) -> pd.DataFrame:
        selection = lesions.Selection("score", n)
        return pd.concat(predict.score(models, lesions.Source(table, run), p, selection))

    rows: list[dict[str, Any]] = []
    with _cluster(root, max(n_workers)) as workers, executor.opened(job, models) as run_on:
        for count in n_workers:
            for worker in workers[count:]:
                worker.kill()
                worker.wait()
            there = run_on(images)
            sides = {"here": partial(score, here), "there": partial(score, there)}
            before = _cpu_seconds(workers[:count])
            took = harness.medians(sides, n_rounds=n_rounds)
            spent = (_cpu_seconds(workers[:count]) - before) / (n_rounds + 1)
            each = {f"{side}_per_s": n / of.seconds for side, of in took.items()}
            wall = {"there/here": took["here"].seconds / took["there"].seconds}
            cpu = took["here"].cpu_seconds / (spent + took["there"].cpu_seconds)
            same = {"same_bits": score(here).equals(score(there))}
            rows.append({"workers": count} | each | wall | {"there/here_cpu": cpu} | same)
        some = metadata.read(table)[: executor.MAX_PIECE]
        piece = ensemble.Piece(some, (FoldSeed(0),), BATCH_SIZE, True)
        pieces = [piece] * N_EMPTY
        took_empty = harness.took(lambda: list(there.map(nothing, pieces, lambda n: None)))
    sent = N_EMPTY * len(piece.lesions)
    per_s, us = sent / took_empty.seconds, 1e6 * took_empty.cpu_seconds / sent
    return rows, {"lesions": sent, "sent_per_s": per_s, "cpu_us_each": us}


def _cpu_seconds(processes: list[subprocess.Popen[bytes]]) -> float:
    """Add up the processor time of other processes, which a busy machine does not stretch."""
    import psutil

    return sum(sum(psutil.Process(p.pid).cpu_times()[:2]) for p in processes)


@contextmanager
def _cluster(folder: Path, n_workers: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start a scheduler and its workers, until the block ends."""
    import distributed

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = os.environ["DASK_SCHEDULER_ADDRESS"] = f"tcp://127.0.0.1:{port}"
    local = ("--host", "127.0.0.1", "--no-dashboard")
    worker = ("worker", address, "--no-nanny", "--nthreads", "1", *local)
    lines = [("scheduler", "--port", str(port), *local), *[worker] * n_workers]
    path = f"{harness.ROOT / 'src'}{os.pathsep}{harness.ROOT / 'benchmarks'}"
    env = os.environ | {"PYTHONPATH": path}
    processes = [
        subprocess.Popen([sys.executable, "-m", "dask", *words], cwd=folder, env=env)
        for words in lines
    ]
    try:
        with distributed.Client(address, set_as_default=False) as client:
            client.wait_for_workers(n_workers, timeout=300)
        yield processes[1:]
    finally:
        del os.environ["DASK_SCHEDULER_ADDRESS"]
        for process in processes:
            process.kill()
            process.wait()


def main(size: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        n_lesions = SIZES[size][0][2]
        folder = drawn.folder(Path(scratch) / "drawn", n_lesions=n_lesions, linked=False)
        rows, sent = harness.apart(rates, str(folder), size)[0]
        results.report("workers", rows)
        results.report("workers: pieces without work", [sent])


if __name__ == "__main__":
    main(harness.size(sys.argv[1:]))
