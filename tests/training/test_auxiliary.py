"""training.auxiliary: further targets teach the tile branch, and are left behind."""

import keras
import numpy as np
import pandas as pd
import pytest
from tests.augmentations import augmentation
from tests.recipes import params

from skinlesion.dataset import batches
from skinlesion.errors import InputError
from skinlesion.network import model
from skinlesion.training import auxiliary, fitting, fold, phases

pytestmark = pytest.mark.usefixtures("keras_started")

NAMES = ("diagnosis:a", "diagnosis:b", "biopsied", "measurements:h", "measurements:l")


def weights(**given: float) -> auxiliary.Weights:
    return auxiliary.Weights(**{"diagnosis": 0, "biopsied": 0, "measurements": 0} | given)


ALL = weights(diagnosis=0.5, biopsied=0.25, measurements=2)


def softplus(x):
    return np.logaddexp(0, x)


def by_hand(y, z, smoothing):
    total = softplus(z[0]) - z[0] * (y[0] * (1 - smoothing) + smoothing / 2)
    if np.isfinite(y[1]):
        total += 0.5 * (np.log(np.exp(z[1:3]).sum()) - (y[1:3] * z[1:3]).sum())
    if np.isfinite(y[3]):
        total += 0.25 * (softplus(z[3]) - z[3] * y[3])
    known = np.isfinite(y[4:])
    if known.any():
        total += 2 * ((z[4:] - y[4:])[known] ** 2).mean() / 2
    return total


def test_the_loss_is_the_sum_of_its_parts_and_what_is_not_known_adds_nothing():
    rng = np.random.default_rng(0)
    z = rng.normal(0, 3, (8, 6))
    diagnosis, others = np.eye(2)[rng.integers(0, 2, 8)], rng.normal(size=(8, 2))
    y = np.column_stack([rng.integers(0, 2, 8), diagnosis, rng.integers(0, 2, 8), others])
    y = y.astype(np.float32)
    y[1, 1:3] = y[2, 3] = y[3, 4] = y[4, 4:] = y[5, 1:] = np.nan
    loss = auxiliary.loss(NAMES, ALL, label_smoothing=0.1)
    found = keras.ops.convert_to_numpy(loss.call(y, z.astype(np.float32)))

    expected = [by_hand(*row, 0.1) for row in zip(y, z, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_without_auxiliary_targets_nothing_changes(architecture):
    logits = model.logits_of(model.build(architecture()))
    assert auxiliary.beside(logits, 0) is logits
    plain = auxiliary.loss((), auxiliary.NONE, label_smoothing=0.1)
    assert isinstance(plain, keras.losses.BinaryCrossentropy)


def test_they_are_read_by_group_and_an_absent_group_is_refused(tmp_path):
    path = tmp_path / "auxiliary.parquet"
    pd.DataFrame({"isic_id": ["a", "b"], "biopsied": [0.0, 1.0], "measurements:h": [1.0, 2.0]}
                 ).to_parquet(path)  # fmt: skip
    names, values = auxiliary.read(path, weights(measurements=0.1))
    assert names == ("measurements:h",)
    np.testing.assert_array_equal(values, [[1.0], [2.0]])
    with pytest.raises(InputError, match=r"train\.auxiliary\.diagnosis must be 0 .* Got 0\.1\."):
        auxiliary.read(path, weights(diagnosis=0.1, biopsied=1))
    assert auxiliary.read(tmp_path / "absent", auxiliary.NONE)[0] == ()


def test_a_linear_head_is_refused():
    with pytest.raises(ValueError, match="auxiliary weights of 0 where fitted is head"):
        params(fitted="head", auxiliary={"diagnosis": 1, "biopsied": 0, "measurements": 0})


def test_the_tile_branch_learns_them_and_the_trained_network_gives_the_score_alone(
    architecture, solid_tiles
):
    n, rng = 80, np.random.default_rng(0)
    is_bright = np.arange(n) % 2
    ids = np.array([f"ISIC_{i:07d}" for i in range(n)])
    tiles = solid_tiles(dict(zip(ids, (60 + 120 * is_bright).tolist(), strict=True)))
    lesions = batches.Lesions(ids, np.empty((n, 0), np.float32), tiles, image_px=32)
    noise = rng.permutation(is_bright)  # a target that no tile tells
    brightness = np.where(np.arange(n) % 5, 2.0 * is_bright - 1, np.nan)
    y = np.column_stack([noise, is_bright, brightness]).astype(np.float32)
    epoch = batches.Training(lesions, np.arange(n), y, np.ones(n, np.float32))
    network = model.build(architecture(n_features=0))
    validation = fold.Validation(lesions, noise, 0.0)
    names, logged = ("biopsied", "measurements:h"), []
    w = weights(biopsied=1, measurements=1).model_dump()
    p = params(n_epochs=6, batch_size=8, auxiliary=w, average_momentum=0.9, select="last")
    fitting.fit(
        network,
        fold.Examples([epoch], validation, ids, names),
        phases.Recipe(train=p, augment=augmentation(mixup=0.5)),
        log=lambda epoch, values: logged.append(values["train/loss"]),
    )

    # By chance: 0.69 of the target, 0.69 and 0.5 of the others.
    assert logged[-1] < 1.3
    assert network.output.shape[-1] == 1
    assert not [layer.name for layer in network.layers if "auxiliary" in layer.name]
