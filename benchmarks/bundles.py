"""How close scoring with a bundle comes to its engine, and whether its memory grows with the table.

    python benchmarks/bundles.py [tiny|usual|large]

Lesions per second of `skinlesion score` against its network on one batch that lies ready: of a
bundle of a network alone, and of one whose table expert measures tiles, too. Then the peak memory
of processes that score 5,000, 50,000 and more lesions; none that is measured loads TensorFlow.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import drawn
import harness
import numpy as np
import results

# (backbone, px, lesions), and the lesions of each process whose memory is measured
NETWORKS = {
    "tiny": [("tiny", 32, 200)],
    "usual": [("efficientnetv2_b2", 64, 2048), ("efficientnetv2_b2", 128, 1024)],
    "large": [("efficientnetv2_b2", 64, 8192), ("efficientnetv2_b2", 128, 4096)],
}
N_ROUNDS = {"tiny": 1, "usual": 3, "large": 5}
N_LESIONS = {"tiny": [200, 400], "usual": [5000, 50_000], "large": [5000, 50_000, 500_000]}
SMALL = ("tiny", 32)
N_FITTED = 3000  # lesions that encoders and experts are fitted to
BATCH_SIZE = 128


def make(folder: str, out: str, backbone: str, px: int, with_experts: bool) -> None:
    """Write a bundle of random weights, and of an expert of params.yaml fitted to drawn lesions."""
    import networks

    from skinlesion import params
    from skinlesion.bundle import card, export, manifest, runtime
    from skinlesion.bundle import networks as of_bundle
    from skinlesion.dataset.fold_seed import FoldSeed
    from skinlesion.derivation import plan
    from skinlesion.evaluation import calibration, combination
    from skinlesion.network import backend, model
    from skinlesion.scoring import conversion

    backend.start(backend.Params(backend="tensorflow", precision="float32", seed=0))
    data, to = Path(folder), Path(out)
    derive = params.load("derive", plan.Params, networks.PARAMS)
    _fit(data, derive if with_experts else None)
    lesions, _, encoder = networks.lesions(data, px=px)
    logits = model.logits_of(
        model.build(networks.architecture(backbone, px, lesions.tabular.shape[1]))
    )
    content = conversion.litert(conversion.with_features(logits))
    facts = of_bundle.Facts(fold=0, prior_shift=0.0, image_px=px)
    weights = {"network": 0.5, "table": 0.5} if with_experts else {"network": 1.0}
    found = combination.Combination(
        method="logistic" if with_experts else "one", weights=weights, ranks={}
    )
    combination.save(data / "combination.json", found)
    platt = calibration.Calibrator(
        method="none", reason="", slope=1.0, intercept=0.0, n_lesions=0, n_positives=0
    )
    calibration.save(data / "calibration.json", platt)
    _summarise(data)
    fitted = export.Fitted(data / "experts", data, data, data / "profile.json")
    settings = runtime.Settings(n_views=1, unreadable_logit=0.0)
    given = {FoldSeed(0): export.Network(content, encoder, facts)}
    export.write(to, given, fitted, (derive, settings))
    (to / card.NAME).write_text("{}")
    manifest.write(to)


def _summarise(data: Path) -> None:
    """What the lesions are like, in the columns that shift looks at."""
    import networks

    from skinlesion import params
    from skinlesion.dataset import metadata
    from skinlesion.features import tabular
    from skinlesion.shift import profile

    p = params.load("encode", tabular.Params, networks.PARAMS)
    table = metadata.read(data / "train-metadata.csv", text=p.categorical)[:N_FITTED]
    patients = profile.numbered(table["patient_id"])
    found = profile.columns(table[[*p.numeric, *p.categorical]], patients, p.categorical)
    profile.save(data / "profile.json", profile.make(found, None, patients))


def _fit(data: Path, derive: Any) -> None:
    import networks

    from skinlesion import params
    from skinlesion.boosting import expert, fitting, fold
    from skinlesion.dataset import metadata, stores
    from skinlesion.derivation import numbers, parquet, plan, tiles

    nothing = expert.Facts(own=[], relative=[], categories={}, modes={}, versions={})
    if derive is None:
        expert.save(data / "experts/fold-0", nothing, {})
        return
    table = metadata.read(data / "train-metadata.csv")[:N_FITTED]
    chosen = plan.make(derive, table, table)
    store = stores.open_store(data / "train-image.hdf5")
    measured = tiles.measure(table["isic_id"].tolist(), store, derive.tile)
    found = numbers.compute(table, chosen, derive, tiles=measured)
    parquet.write(data / "train.parquet", table, found, chosen)
    (data / "plan.json").write_text(chosen.model_dump_json())
    fold_of = np.arange(len(table)) % 3
    table[["isic_id", "patient_id", "target"]].assign(fold=fold_of).to_csv(
        data / "folds.csv", index=False
    )
    p = params.load("boost", fitting.Params, networks.PARAMS)
    result = fold.fit(0, data / "folds.csv", data, p.model_copy(update={"min_pauc": 0.0}))
    expert.save(data / "experts/fold-0", result.facts, result.fitted)


def rates(folder: str, bundles: dict[str, str], n_lesions: int, n_rounds: int) -> dict[str, float]:
    """Time a bundle of the network alone, one with an expert, and the network on a ready batch."""
    from skinlesion.bundle import networks

    (network,) = networks.load(Path(bundles["network"]) / "network").values()
    rng, px = np.random.default_rng(0), network.image_px
    batch = {
        "image": rng.integers(0, 256, (BATCH_SIZE, px, px, 3), np.uint8),
        "tabular": rng.random((BATCH_SIZE, len(network.encoder.names)), np.float32),
    }

    def limit() -> None:
        for _ in range(n_lesions // BATCH_SIZE):
            network.run(batch, BATCH_SIZE)

    sides = {name: lambda b=b: score(folder, b) for name, b in bundles.items()}
    took = harness.medians({**sides, "limit": limit}, n_rounds=n_rounds)
    n_limit = n_lesions // BATCH_SIZE * BATCH_SIZE
    per_s = {"limit": n_limit / took["limit"].seconds}
    per_s |= {name: n_lesions / took[name].seconds for name in bundles}
    cpu = {name: took["limit"].cpu_seconds / took[name].cpu_seconds for name in bundles}
    return {
        **{f"{name}_per_s": rate for name, rate in per_s.items()},
        **{f"{name}/limit": per_s[name] / per_s["limit"] for name in bundles},
        **{f"{name}/limit_cpu": ratio * n_lesions / n_limit for name, ratio in cpu.items()},
    }


def score(folder: str, bundle: str) -> None:
    """Score all lesions of a folder, as the command does."""
    from skinlesion.bundle import bulk

    data = Path(folder)
    files = bulk.Files(
        Path(bundle), data / "train-metadata.csv", data / "train-image.hdf5", data / "out"
    )
    bulk.score(files, strict=True)


def main(size: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        root, speed = Path(scratch), []
        source = drawn.folder(root / "source", n_lesions=max(N_FITTED, min(N_LESIONS[size])))
        for backbone, px, n in NETWORKS[size]:
            bundles = {}
            for name, with_experts in (("network", False), ("whole", True)):
                out = bundles[name] = str(root / f"{backbone}-{px}-{name}")
                harness.apart(make, str(source), out, backbone, px, with_experts)
            folder = drawn.folder(root / f"speed-{px}", n_lesions=n, linked=False)
            found, _ = harness.apart(rates, str(folder), bundles, n, N_ROUNDS[size])
            speed.append({"network": backbone, "px": px, "lesions": n} | found)
        results.report("bundles", speed)

        memory, small = [], str(root / "small")
        harness.apart(make, str(source), small, *SMALL, True)
        for n in N_LESIONS[size]:
            folder = drawn.folder(root / f"memory-{n}", n_lesions=n)
            _, took = harness.apart(score, str(folder), small)
            memory.append({"lesions": n} | took.row)
        results.report("bundles: memory", memory)


if __name__ == "__main__":
    main(harness.size(sys.argv[1:]))
