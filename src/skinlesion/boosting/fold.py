"""Fit the table expert of one fold, measure it on the fold left out, and refuse a useless one."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from skinlesion import metrics
from skinlesion.boosting import expert, fitting, matrix
from skinlesion.boosting.columns import Columns, choose
from skinlesion.boosting.ensemble import Fitted
from skinlesion.boosting.fitting import Examples, Params
from skinlesion.dataset import metadata, partition
from skinlesion.derivation import plan
from skinlesion.errors import InputError

__all__ = ["Result", "fit", "require_useful", "summary"]

MIN_SHARE = 0.5  # of the training lesions that must have numbers relative to their patient
N_RESAMPLES, MAX_NEGATIVES, SURE = 200, 20_000, 0.975
LABELS = {
    expert.ALONE: "each lesion alone",
    expert.CONTEXT: "beside its patient's others",
}


@dataclass(frozen=True)
class Result:
    """The table expert of a fold."""

    facts: expert.Facts
    fitted: dict[str, Fitted]
    limits: dict[str, float | None]  # by mode, as `require_useful` gives them

    @property
    def log(self) -> dict[str, list[float]]:
        """Losses and AUCs round by round, of the mode that reads most."""
        modes = [m for m in (expert.CONTEXT, expert.ALONE) if m in self.fitted]
        return self.fitted[modes[0]].log if modes else {}


def fit(fold: int, folds_csv: Path, features: Path, p: Params) -> Result:
    """Fit the models of a fold.

    Those that read a lesion alone are always fitted; those that read what is relative to its
    patient's others, where at least half of the training lesions have any such number.

    Args:
        fold: The fold left out. Its lesions are measured and choose nothing.
        folds_csv: isic_id, patient_id, target and fold, from stage `split`.
        features: The folder that stage `derive` writes.
        p: The block `boost`.

    Returns:
        The models; none where there is no number at all.

    Raises:
        InputError: A file is absent or malformed; or as for `require_useful`.
    """
    folds = metadata.read(folds_csv).sort_values("isic_id").set_index("isic_id")
    rows = partition.training_rows(folds, validation_fold=fold)
    columns = choose(plan.load(features), p.inputs)
    path = features / "train.parquet"
    categories = matrix.vocabulary(path, columns, rows.index)
    if not columns.n_alone:
        return Result(_facts(columns, categories, {}), {}, {})
    lesions = pd.concat([rows, folds[folds["fold"] == fold]])
    values = matrix.read(path, columns, categories, lesions.index).values
    examples = Examples(values, lesions["target"].to_numpy(), lesions["patient_id"].to_numpy())
    training, held = examples.of(slice(len(rows))), examples.of(slice(len(rows), None))
    fitted = _fit(training, held, columns, p)
    ensembles = {mode: models.ensemble for mode, models in fitted.items()}
    scores = expert.Expert(columns, categories, ensembles).logits(held.values)
    logits = {expert.ALONE: scores.alone, expert.CONTEXT: scores.context}
    y_true = held.y_true
    limits = {mode: require_useful(y_true, logits[mode], p, fold=fold) for mode in fitted}
    modes = {mode: _mode(models, y_true, logits[mode]) for mode, models in fitted.items()}
    return Result(_facts(columns, categories, modes), fitted, limits)


def require_useful(y_true: np.ndarray, logits: np.ndarray, p: Params, *, fold: int) -> float | None:
    """Refuse models that rank too badly for it to be chance.

    Some settings give a model without any use, such as too great a weight of positives. A pAUC
    below p.min_pauc shows it, but one of few positives may be that low by chance: so the upper
    limit of its interval, over resampled lesions of each class, must be below it too.

    Args:
        y_true: Shape (n_lesions,), of the fold left out.
        logits: The same shape.
        p: The block `boost`.
        fold: For the message.

    Returns:
        None; the upper limit where the pAUC is below p.min_pauc and it is not.

    Raises:
        InputError: Both are below.
    """
    pauc = metrics.partial_auc(y_true, logits)
    if pauc >= p.min_pauc:
        return None
    high = _upper_limit(y_true, logits, p.seed)
    if high < p.min_pauc:
        raise InputError(
            f"boost: the pAUC of fold {fold}, which was left out, must be at least "
            f"boost.min_pauc = {p.min_pauc:g}. Got {pauc:.4f} (at most {high:.4f} in 97.5 % of "
            f"resamples): the sampling or boost.scale_pos_weight does not suit these lesions, or "
            f"their numbers say nothing. boost.min_pauc: 0 lets it pass."
        )
    return high


def summary(fold: int, result: Result, p: Params) -> str:
    """Say in a line or two how well the models rank the fold left out.

    Args:
        fold: The fold.
        result: From `fit`.
        p: The block `boost`.
    """
    if not result.fitted:
        return f"fold {fold}: no table expert, since there are no numbers of the lesions"
    said = [
        f"{LABELS[name]} pAUC {m.pauc:.4f}, AUC {m.auc:.4f} ({m.n_rounds} rounds)"
        for name, m in result.facts.modes.items()
    ]
    lines = [f"fold {fold}: table expert of {p.n_seeds} seeds: {'; '.join(said)}"]
    for mode, high in result.limits.items():
        if high is None:
            continue
        lines.append(
            f"fold {fold}: warning: {LABELS[mode]}, its pAUC is below {p.min_pauc:g}; with so few "
            f"positives that may be chance (at most {high:.4f})"
        )
    return "\n".join(lines)


def _fit(training: Examples, held: Examples, columns: Columns, p: Params) -> dict[str, Fitted]:
    known = ~np.isnan(training.values[:, columns.n_alone :]).all(1)
    widths = {expert.ALONE: columns.n_alone}
    if columns.relative and known.mean() >= MIN_SHARE:
        widths[expert.CONTEXT] = len(columns.names)
    codes = list(range(len(columns.own), columns.n_alone))
    return {
        mode: fitting.fit(training.first(n), held.first(n), p, categorical=codes)
        for mode, n in widths.items()
        if n
    }


def _mode(models: Fitted, y_true: np.ndarray, logits: np.ndarray) -> expert.Mode:
    return expert.Mode(
        prior_shift=models.ensemble.prior_shift,
        n_seeds=len(models.ensemble.boosters),
        n_rounds=models.n_rounds,
        pauc=metrics.partial_auc(y_true, logits),
        auc=metrics.auc(y_true, logits),
    )


def _facts(
    columns: Columns, categories: Mapping[str, list[str]], modes: dict[str, expert.Mode]
) -> expert.Facts:
    return expert.Facts(
        own=columns.own,
        relative=columns.relative,
        categories=dict(categories),
        modes=modes,
        versions={"lightgbm": version("lightgbm")},
    )


def _upper_limit(y_true: np.ndarray, logits: np.ndarray, seed: int) -> float:
    rng = np.random.default_rng(seed)
    positives = np.flatnonzero(y_true == 1)
    negatives = rng.permutation(np.flatnonzero(y_true == 0))[:MAX_NEGATIVES]
    found = []
    for _ in range(N_RESAMPLES):
        rows = np.concatenate([rng.choice(part, len(part)) for part in (positives, negatives)])
        found.append(metrics.partial_auc(y_true[rows], logits[rows]))
    return float(np.quantile(found, SURE))
