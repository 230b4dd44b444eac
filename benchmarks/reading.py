"""Whether reading tiles can hold training up: HDF5 in random order, against the training rate.

    python benchmarks/reading.py [tiny|usual|large]

Images per second and process, the file in the system's cache: bytes only, decoded, and as the
batches are made from them; and of the network of params.yaml on a batch that lies ready.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import drawn
import harness
import numpy as np
import results

# lesions in the file, lesions read, (backbone, px, steps)
PLANS = {
    "tiny": (400, 100, ("tiny", 32, 2)),
    "usual": (40_000, 2000, ("efficientnetv2_b2", 64, 4)),
    "large": (drawn.N_LESIONS, 10_000, ("efficientnetv2_b2", 64, 35)),
}
N_ROUNDS = 3


def rates(folder: str, size: str) -> list[dict[str, Any]]:
    from skinlesion.network import backend

    backend.start(backend.Params(backend="tensorflow", precision="float32", seed=0))
    import limits
    import networks

    from skinlesion.dataset import batches, images, stores

    n_file, n_read, (name, px, n_batches) = PLANS[size]
    lesions, _, _ = networks.lesions(Path(folder), px=px, n=n_read)
    store = stores.open_store(Path(folder) / "train-image.hdf5")
    isic_ids = np.random.default_rng(0).permutation(lesions.isic_ids)
    lesions = batches.select(lesions, np.argsort(isic_ids))

    def batched() -> None:
        for _ in batches.scoring(lesions, batch_size=32):
            pass

    def read() -> None:
        for isic_id in isic_ids:
            store.read(isic_id)

    def decoded() -> None:
        for isic_id in isic_ids:
            images.tile(store.read(isic_id), px=px)

    plan = networks.architecture(name, px, lesions.tabular.shape[1])
    train = limits.constant_fit(plan, n_batches)
    sides = {"read": read, "read, decoded": decoded, "read, batched": batched, "train": train}
    n = dict.fromkeys(sides, n_read) | {"train": n_batches * networks.train_params(1).batch_size}
    took = harness.medians(sides, n_rounds=N_ROUNDS)
    per_s = {side: n[side] / of.seconds for side, of in took.items()}
    given = {"tiles_in_file": n_file, "network": name, "px": px}
    return [
        given | {"what": side, "per_s": rate, "of_training": rate / per_s["train"]}
        for side, rate in per_s.items()
    ]


def main(size: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = drawn.folder(Path(scratch), n_lesions=PLANS[size][0], linked=False)
        results.report("reading", harness.apart(rates, str(folder), size)[0])


if __name__ == "__main__":
    main(harness.size(sys.argv[1:]))
