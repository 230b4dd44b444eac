"""Small models and their lesions, scored in this process, for the tests of several modules."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from skinlesion.dataset import stores
from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.features import tabular
from skinlesion.network import trained
from skinlesion.scoring import engine, executor, lesions, predict

PARAMS = predict.Params(batch_size=8, engine="keras", strict=False)
ENCODE = tabular.Params(
    numeric=["age_approx", "tbp_lv_areaMM2"],
    categorical=["sex", "anatom_site_general"],
    scaling="robust",
    missing="indicator",
    min_category_count=2,
)
FACTS = trained.Facts(
    prior_shift=0.0,
    best_epoch=0,
    validation={},
    backend="tensorflow",
    precision="float32",
    versions={},
    inputs_md5={},
)


class Broken:
    """Tiles of which some cannot be read."""

    def __init__(self, store, ids) -> None:
        self.store, self.broken = store, set(ids)

    def ids(self) -> list[str]:
        return self.store.ids()

    def read(self, isic_id: str) -> bytes:
        return b"" if isic_id in self.broken else self.store.read(isic_id)


def by_number(models: Sequence[trained.Trained]) -> dict[FoldSeed, trained.Trained]:
    """The models, as of the folds 0, 1 and so on."""
    return {FoldSeed(fold): m for fold, m in enumerate(models)}


def here(models: Mapping[FoldSeed, trained.Trained], store: stores.Store) -> executor.Here:
    """These models in this process, on Keras."""
    return executor.Here(engine.prepared(models, "keras"), store)


def source(models: Sequence[trained.Trained], table: Path, store: stores.Store) -> lesions.Source:
    """Lesions whose tiles this process reads."""
    return lesions.Source(table, here(by_number(models), store))


def pieces(models, table, store, p=PARAMS, selection=lesions.ALL) -> list[pd.DataFrame]:
    """The scored lesions of a table, piece by piece."""
    return list(predict.score(by_number(models), source(models, table, store), p, selection))


def scored(models, table, store, p=PARAMS) -> pd.DataFrame:
    """All scored lesions of a table."""
    return pd.concat(pieces(models, table, store, p), ignore_index=True)
