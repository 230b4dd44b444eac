"""training.fold: a fold is read as the stages before have written it."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skinlesion.errors import InputError
from skinlesion.features import tabular
from skinlesion.training import fold

pytestmark = pytest.mark.usefixtures("keras_started")

IDS = [f"ISIC_{i}" for i in range(6)]
FOLDS = [1, 0, 1, 0, 1, 1]
TARGETS = [0, 1, 1, 0, 0, 0]
ENCODE = tabular.Params(
    numeric=["age_approx"],
    categorical=[],
    scaling="standard",
    missing="median",
    min_category_count=1,
)


@pytest.fixture
def paths(tmp_path):
    """Write what `split`, `resample` and `encode` do; a lesion of the holdout is in the split."""
    folds, draws, prior, features = (tmp_path / name for name in ("f.csv", "d.csv", "p", "t"))
    known = pd.DataFrame({"isic_id": IDS, "target": TARGETS, "fold": FOLDS})
    held_out = pd.DataFrame({"isic_id": ["ISIC_9"], "target": [1], "fold": [-1]})
    pd.concat([held_out, known[::-1]]).assign(patient_id="IP_1").to_csv(folds, index=False)
    drawn = {"epoch": [0, 0, 1], "isic_id": ["ISIC_4", "ISIC_2", "ISIC_0"], "weight": [1, 2, 1.0]}
    pd.DataFrame(drawn).to_csv(draws, index=False)
    prior.write_text(json.dumps({"prior_shift": 0.5}))
    features.mkdir()
    table = pd.DataFrame({"isic_id": IDS, "age_approx": np.arange(6.0)})
    tabular.save(tabular.fit(table, ENCODE), features / "encoder.json")
    table.to_parquet(features / "tabular.parquet")
    return folds, draws, prior, features


def read(paths, architecture, number: int = 0) -> fold.Fold:
    p = architecture(backbone="none").model
    return fold.read(number, fold.Files(*paths, images=Path("are-not-read.hdf5")), p)


def test_the_lesions_of_the_fold_are_those_validated_on(paths, architecture):
    for number, expected in ((0, [1, 3]), (1, [0, 2, 4, 5])):
        validation = read(paths, architecture, number).examples.validation

        assert validation.lesions.isic_ids.tolist() == [IDS[i] for i in expected]
        assert validation.lesions.tabular[:, 0].tolist() == expected
        assert validation.y_true.tolist() == [TARGETS[i] for i in expected]
        assert validation.prior_shift == 0.5


def test_the_epochs_are_those_planned(paths, architecture):
    epochs = read(paths, architecture).examples.epochs

    assert [e.lesions.isic_ids[e.rows].tolist() for e in epochs] == [["ISIC_4", "ISIC_2"], IDS[:1]]
    assert [e.y_true.tolist() for e in epochs] == [[0, 1], [0]]
    assert [e.weight.tolist() for e in epochs] == [[1, 2], [1]]


def test_features_are_counted(paths, architecture):
    found = read(paths, architecture)

    assert found.n_features == len(found.encoder.names) == 1


def test_a_planned_lesion_without_features_is_named(paths, architecture):
    text = paths[1].read_text().replace("ISIC_2", "ISIC_9")
    paths[1].write_text(text)
    with pytest.raises(InputError, match=r"must name lesions with tabular features\. Got ISIC_9"):
        read(paths, architecture)
