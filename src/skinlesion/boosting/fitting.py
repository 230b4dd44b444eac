"""Fit gradient boosting to the training lesions of a fold: several seeds, equal bits each time."""

from dataclasses import dataclass
from typing import Any, Literal

import lightgbm as lgb
import numpy as np
from pydantic import Field
from sklearn.model_selection import StratifiedGroupKFold

from skinlesion import metrics
from skinlesion.boosting import sampling
from skinlesion.boosting.ensemble import Ensemble, Fitted
from skinlesion.params import Block

__all__ = ["Examples", "Params", "fit"]

MEASURES = {"binary_logloss": "loss", "auc": "auc"}  # LightGBM's names, and dvclive's


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

    def part(self, rows: np.ndarray, n_columns: int) -> "Examples":
        """Take some lesions, and the first columns.

        Args:
            rows: Indices, or a mask of shape (n_lesions,).
            n_columns: How many.
        """
        values = np.ascontiguousarray(self.values[rows, :n_columns])
        return Examples(values, self.y_true[rows], self.patients[rows])


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
    boosters, logs, shift = [], [], 0.0
    for seed in range(p.n_seeds):
        rows, shift = _drawn(training.y_true, p, seed)
        drawn = training.part(rows, training.values.shape[1])
        booster, log = _booster(drawn, validation, p, (seed, n_rounds), categorical)
        boosters.append(booster)
        logs.append(log)
    mean = {name: np.mean([log[name] for log in logs], axis=0).tolist() for name in logs[0]}
    return Fitted(Ensemble(boosters, shift), n_rounds, mean)


def _drawn(y_true: np.ndarray, p: Params, seed: int) -> tuple[np.ndarray, float]:
    rows = sampling.draw(
        y_true,
        positive_share=p.positive_share,
        negatives_per_positive=p.negatives_per_positive,
        rng=np.random.default_rng([p.seed, seed]),
    )
    return rows, sampling.prior_shift(y_true, rows, weight_of_positives=p.scale_pos_weight)


def _booster(
    drawn: Examples,
    measured: Examples,
    p: Params,
    seed_and_rounds: tuple[int, int],
    categorical: list[int],
) -> tuple[lgb.Booster, dict[str, list[float]]]:
    seed, n_rounds = seed_and_rounds
    train = lgb.Dataset(
        drawn.values,
        drawn.y_true,
        categorical_feature=categorical,
        params={"verbosity": -1, "num_threads": p.n_threads},
        free_raw_data=True,
    )
    valid = lgb.Dataset(measured.values, measured.y_true, reference=train)
    log: dict[str, dict[str, list[float]]] = {}
    booster = lgb.train(
        _settings(p, seed),
        train,
        n_rounds,
        valid_sets=[train, valid],
        valid_names=["train", "validation"],
        callbacks=[lgb.record_evaluation(log)],
    )
    return booster, {
        f"{of}/{said}": list(log[of][name]) for of in log for name, said in MEASURES.items()
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
        "seed": 1000 * p.seed + seed,
        # Sums of a histogram depend on the number of threads and on who adds first.
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": p.n_threads,
        "verbosity": -1,
    }


def _best_rounds(training: Examples, p: Params, categorical: list[int]) -> int:
    """How many rounds are best for patients of the training lesions, left out in turn."""
    assert p.n_inner_folds is not None
    splitter = StratifiedGroupKFold(p.n_inner_folds, shuffle=True, random_state=p.seed)
    n_columns, paucs = training.values.shape[1], []
    for rows, held in splitter.split(training.values, training.y_true, training.patients):
        inner, left_out = training.part(rows, n_columns), training.part(held, n_columns)
        drawn, _ = _drawn(inner.y_true, p, 0)
        sampled = inner.part(drawn, n_columns)
        booster, _ = _booster(sampled, left_out, p, (0, p.n_rounds), categorical)
        paucs.append(_by_round(booster, left_out, p.n_rounds))
    return 1 + int(np.mean(paucs, axis=0).argmax())


def _by_round(booster: lgb.Booster, lesions: Examples, n_rounds: int) -> list[float]:
    scores, found = np.zeros(len(lesions.y_true)), []
    for i in range(n_rounds):
        if i < booster.num_trees():
            scores += booster.predict(
                lesions.values, start_iteration=i, num_iteration=1, raw_score=True
            )
        found.append(metrics.partial_auc(lesions.y_true, scores))
    return found
