"""Fit gradient boosting to the training lesions of a fold: several seeds, equal bits each time."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Any, Literal

import lightgbm as lgb
import numpy as np
from pydantic import Field
from sklearn.model_selection import StratifiedGroupKFold

from skinlesion import metrics
from skinlesion.boosting import sampling
from skinlesion.boosting.ensemble import Ensemble, Fitted
from skinlesion.dataset import threads
from skinlesion.errors import InputError
from skinlesion.params import Block

__all__ = ["Examples", "Params", "fit"]

MEASURES = {"binary_logloss": "loss", "auc": "auc"}  # LightGBM's names, and dvclive's
N_BINNED = 50_000  # lesions that the limits of the bins are of; four times as many by default
_ONE_AT_A_TIME = Lock()  # binning takes several times the memory of its lesions


class Params(Block):
    """Block `boost`: what the table expert reads, what it learns from, and how."""

    inputs: list[Literal["table", "tile"]] = Field(min_length=1)
    positive_share: float = Field(ge=0, le=0.5)
    negatives_per_positive: float = Field(gt=0)
    scale_pos_weight: float = Field(gt=0)
    n_seeds: int = Field(ge=1)
    n_rounds: int = Field(ge=1)
    n_inner_folds: int | None = Field(ge=2)
    learning_rate: float = Field(gt=0, le=1)
    max_depth: int = Field(ge=1)
    n_leaves: int = Field(ge=2)
    min_leaf: int = Field(ge=1)
    l1: float = Field(ge=0)
    l2: float = Field(ge=0)
    column_share: float = Field(gt=0, le=1)
    column_share_by_node: float = Field(gt=0, le=1)
    row_share: float = Field(gt=0, le=1)
    row_share_every: int = Field(ge=1)
    n_threads: int = Field(ge=1)
    min_pauc: float = Field(ge=0, lt=0.2)
    seed: int = Field(ge=0)


@dataclass(frozen=True)
class Examples:
    """Lesions with a known target. Their order decides bits; they are sorted by isic_id."""

    values: np.ndarray  # shape (n_lesions, n_columns), float32
    y_true: np.ndarray  # shape (n_lesions,)
    patients: np.ndarray  # shape (n_lesions,), of any kind

    def first(self, n_columns: int) -> "Examples":
        """Take the first columns, without a copy.

        Args:
            n_columns: How many.
        """
        return Examples(self.values[:, :n_columns], self.y_true, self.patients)

    def of(self, rows: np.ndarray | slice) -> "Examples":
        """Take some lesions; without a copy where they are a slice.

        Args:
            rows: Indices, which may occur more than once, or a slice.
        """
        return Examples(self.values[rows], self.y_true[rows], self.patients[rows])


def fit(training: Examples, validation: Examples, p: Params, *, categorical: list[int]) -> Fitted:
    """Fit p.n_seeds models, each on its own draw of the training lesions.

    Args:
        training: The training lesions of a fold.
        validation: Others, which are only measured, round by round; they choose nothing.
        p: The block `boost`.
        categorical: The columns that hold codes of categories.

    Returns:
        The models. With p.n_inner_folds, they have as many rounds as are best, in pAUC, for
        training patients left out in turn; otherwise p.n_rounds.
    """
    n_rounds = p.n_rounds
    if p.n_inner_folds is not None:
        n_rounds = _best_rounds(training, p, categorical)
    log: dict[str, Any] = {}

    def fitted(seed: int) -> lgb.Booster:
        settings = _settings(p, seed)
        train = _binned(training, _drawn(training.y_true, p, seed), settings, categorical)
        # Measuring each round takes as long as fitting; another seed would say the same.
        measures = {} if seed else _measures(train, validation, log)
        return lgb.train(settings, train, n_rounds, **measures)

    with _pool(p) as pool:
        boosters = list(pool.map(fitted, range(p.n_seeds)))
    rows = _drawn(training.y_true, p, 0)
    shift = sampling.prior_shift(training.y_true, rows, weight_of_positives=p.scale_pos_weight)
    by_name = {f"{of}/{said}": log[of][name] for of in log for name, said in MEASURES.items()}
    return Fitted(Ensemble(boosters, shift), n_rounds, by_name)


def _pool(p: Params) -> ThreadPoolExecutor:
    # LightGBM lets other threads run while it works. Each fit keeps to its own p.n_threads, so
    # how many run beside each other changes no bit.
    return ThreadPoolExecutor(max(1, threads.n_threads() // p.n_threads))


def _drawn(y_true: np.ndarray, p: Params, seed: int) -> np.ndarray:
    return sampling.draw(
        y_true,
        positive_share=p.positive_share,
        negatives_per_positive=p.negatives_per_positive,
        rng=np.random.default_rng([p.seed, seed]),
    )


def _binned(
    lesions: Examples, rows: np.ndarray, settings: dict[str, Any], categorical: list[int]
) -> lgb.Dataset:
    with _ONE_AT_A_TIME:
        drawn = lesions.of(rows)
        return lgb.Dataset(
            drawn.values, drawn.y_true, categorical_feature=categorical, params=settings
        ).construct()


def _measures(train: lgb.Dataset, others: Examples, log: dict[str, Any]) -> dict[str, Any]:
    """Have each round measured, of what is learnt from and of others."""
    valid = lgb.Dataset(others.values, others.y_true, reference=train)
    return {
        "valid_sets": [train, valid],
        "valid_names": ["train", "validation"],
        "callbacks": [lgb.record_evaluation(log)],
    }


def _settings(p: Params, seed: int) -> dict[str, Any]:
    return {
        "objective": "binary",
        "metric": list(MEASURES),
        "learning_rate": p.learning_rate,
        "max_depth": p.max_depth,
        "num_leaves": p.n_leaves,
        "min_data_in_leaf": p.min_leaf,
        "lambda_l1": p.l1,
        "lambda_l2": p.l2,
        "feature_fraction": p.column_share,
        "feature_fraction_bynode": p.column_share_by_node,
        "bagging_fraction": p.row_share,
        "bagging_freq": p.row_share_every if p.row_share < 1 else 0,
        "scale_pos_weight": p.scale_pos_weight,
        "bin_construct_sample_cnt": N_BINNED,
        "seed": 1000 * p.seed + seed,
        # Sums of a histogram depend on the number of threads and on who adds first. By columns
        # takes 0.8 of the time that by rows does, on one thread; both give the same trees.
        "deterministic": True,
        "force_col_wise": True,
        "num_threads": p.n_threads,
        "verbosity": -1,
    }


def _best_rounds(training: Examples, p: Params, categorical: list[int]) -> int:
    """How many rounds are best for patients of the training lesions, left out in turn."""
    assert p.n_inner_folds is not None
    splitter = StratifiedGroupKFold(p.n_inner_folds, shuffle=True, random_state=p.seed)
    settings, y_true = _settings(p, 0), training.y_true

    def paucs(parts: tuple[np.ndarray, np.ndarray]) -> list[float]:
        rows, held = parts
        drawn = rows[_drawn(y_true[rows], p, 0)]
        train = _binned(training, drawn, settings, categorical)
        booster = lgb.train(settings, train, p.n_rounds)
        return _by_round(booster, training.of(held), p.n_rounds)

    divided = list(splitter.split(y_true, y_true, training.patients))
    if any(len(np.unique(y_true[rows])) < 2 for parts in divided for rows in parts):
        raise InputError(
            f"boost.n_inner_folds must leave lesions of both classes in each part of the training "
            f"patients, and outside it. Got {p.n_inner_folds}; null takes all rounds."
        )
    with _pool(p) as pool:
        found = list(pool.map(paucs, divided))
    return 1 + int(np.mean(found, axis=0).argmax())


def _by_round(booster: lgb.Booster, lesions: Examples, n_rounds: int) -> list[float]:
    """PAUC after each round; a model of fewer trees stays as it is."""
    leaves = np.asarray(booster.predict(lesions.values, pred_leaf=True), int)
    scores, found = np.zeros(len(leaves)), []
    for tree, leaf in enumerate(leaves.reshape(len(leaves), -1).T):
        outputs = [booster.get_leaf_output(tree, i) for i in range(leaf.max() + 1)]
        scores += np.array(outputs)[leaf]
        found.append(metrics.partial_auc(lesions.y_true, scores))
    return found + found[-1:] * (n_rounds - len(found))
