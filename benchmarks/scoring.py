"""How close scoring comes to its limit, and whether its memory grows with the table.

    python benchmarks/scoring.py [tiny|usual|large]

Images per second of `predict.score` against the same network on one batch that lies ready; then
the peak memory of processes that score 5,000, 50,000 and more lesions with a small network.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import drawn
import harness
import results

# (backbone, px, lesions), and the lesions of each process whose memory is measured
NETWORKS = {
    "tiny": [("tiny", 32, 128)],
    "usual": [("tiny", 64, 2048), ("efficientnetv2_b2", 64, 2048)],
    "large": [
        ("tiny", 64, 4096),
        ("tiny", 128, 4096),
        ("efficientnetv2_b2", 64, 4096),
        ("efficientnetv2_b2", 128, 1024),
    ],
}
N_ROUNDS = {"tiny": 1, "usual": 3, "large": 5}
N_LESIONS = {"tiny": [200, 400], "usual": [5000, 50_000], "large": [5000, 50_000, 500_000]}
BATCH_SIZE = 128  # of params.yaml
SMALL = ("tiny", 32)
N_ENCODED = 1000


def rates(folder: str, size: str, n_lesions: int) -> list[dict[str, Any]]:
    import limits
    import networks

    _start()
    rows = []
    for name, px, n in [plan for plan in NETWORKS[size] if plan[2] == n_lesions]:
        lesions, _, encoder = networks.lesions(Path(folder), px=px)
        plan = networks.architecture(name, px, lesions.tabular.shape[1])
        m = networks.untrained(plan, encoder)
        batch = limits.constant_batch(plan, BATCH_SIZE)

        def limit(m: Any = m, batch: Any = batch, n: int = n) -> None:
            for _ in range(n // BATCH_SIZE):
                m.run(batch, BATCH_SIZE)

        sides = {"score": lambda m=m, n=n: _score(m, Path(folder), n), "limit": limit}
        took = harness.medians(sides, n_rounds=N_ROUNDS[size])
        each = {f"{side}_per_s": n / of.seconds for side, of in took.items()}
        wall, cpu = (a / b for a, b in zip(took["limit"], took["score"], strict=True))
        ratios = {"score/limit": wall, "score/limit_cpu": cpu}
        rows.append({"network": name, "px": px, "lesions": n} | each | ratios)
    return rows


def score_all(folder: str, n_lesions: int) -> None:
    import networks

    from skinlesion import params
    from skinlesion.dataset import metadata
    from skinlesion.features import tabular

    _start()
    name, px = SMALL
    p = params.load("encode", tabular.Params, networks.PARAMS)
    # Of some lesions: the whole table would be what is measured.
    pieces = metadata.chunks(
        Path(folder) / "train-metadata.csv",
        columns=[*p.numeric, *p.categorical],
        text=p.categorical,
        n_lesions=N_ENCODED,
    )
    encoder = tabular.fit(next(pieces), p)
    plan = networks.architecture(name, px, len(encoder.names))
    _score(networks.untrained(plan, encoder), Path(folder), n_lesions)


def _start() -> None:
    from skinlesion.network import backend

    backend.start(backend.Params(backend="tensorflow", precision="float32", seed=0))


def _score(m: Any, folder: Path, n_lesions: int) -> None:
    from skinlesion.dataset import stores
    from skinlesion.dataset.fold_seed import FoldSeed
    from skinlesion.scoring import executor, lesions, predict

    models = {FoldSeed(0): m}
    here = executor.Here(models, stores.open_store(folder / "train-image.hdf5"))
    source = lesions.Source(folder / "train-metadata.csv", here)
    p = predict.Params(batch_size=BATCH_SIZE, engine="auto", strict=True)
    found = sum(len(piece) for piece in predict.score(models, source, p))
    if found != n_lesions:
        raise RuntimeError(f"{n_lesions} lesions must be scored. Got {found} instead.")


def main(size: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        speed = []
        n_each = sorted({n for _, _, n in NETWORKS[size]})
        for n in n_each:
            folder = drawn.folder(Path(scratch) / f"speed-{n}", n_lesions=n, linked=False)
            speed += harness.apart(rates, str(folder), size, n)[0]
        results.report("scoring", speed)

        memory = []
        for n in N_LESIONS[size]:
            folder = drawn.folder(Path(scratch) / f"memory-{n}", n_lesions=n)
            _, took = harness.apart(score_all, str(folder), n)
            memory.append({"lesions": n} | took.row)
        results.report("scoring: memory", memory)


if __name__ == "__main__":
    main(harness.size(sys.argv[1:]))
