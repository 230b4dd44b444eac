"""Whether the spread of a lesion's logits tells errors, and what abstaining by it would gain."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import xlogy
from scipy.stats import rankdata

from skinlesion.evaluation import bootstrap, combination, ranking
from skinlesion.evaluation.bootstrap import Both, Resamples

__all__ = ["ABSTAINED", "abstaining", "errors", "measures", "sources"]

N_BINS = 5
ABSTAINED = 0.1  # of the lesions, the most uncertain, are left to a person
LEAST = 1e-12  # probability, for a finite loss
NAMES = {
    "network_sd_folds": "the network's models of different folds",
    "network_sd_seeds": "seeds of the network",
    "network_sd_views": "views of the tile",
    "table_sd_folds": "the table expert's models of different folds",
    "table_sd_seeds": "seeds of the table expert",
}
Details = dict[str, Any]


def measures(
    lesions: pd.DataFrame, resamples: Both, *, threshold: float, min_tpr: float
) -> Details | None:
    """Measure how much the uncertainty is worth.

    Args:
        lesions: patient_id, target, score, probability and maybe uncertainty, one row per lesion.
        resamples: Of their patients.
        threshold: Score at and above which a lesion is flagged.
        min_tpr: Of the pAUC.

    Returns:
        "sources", as `sources`, with "errors" and "abstaining", as these functions; None where
        lesions are scored by one model on one view, or have one uncertainty.
    """
    if "uncertainty" not in lesions:
        return None
    lesions = lesions.assign(uncertainty=lesions["uncertainty"].fillna(-1.0))
    if lesions["uncertainty"].nunique() < N_BINS:
        return None
    return {
        "sources": sources(lesions),
        "errors": errors(lesions, resamples.free),
        "abstaining": abstaining(
            lesions, resamples.stratified, threshold=threshold, min_tpr=min_tpr
        ),
    }


def sources(lesions: pd.DataFrame) -> list[str]:
    """Name what logits were spread over.

    Args:
        lesions: The columns of `combination.SPREADS` that there are.
    """
    columns = [c for of in combination.SPREADS.values() for c in of]
    return [NAMES[c] for c in columns if c in lesions and lesions[c].notna().any()]


def errors(lesions: pd.DataFrame, resamples: Resamples) -> Details:
    """Set errors against the uncertainty.

    Args:
        lesions: patient_id, target, probability and uncertainty.
        resamples: Of their patients, not stratified.

    Returns:
        "bins", by uncertainty, with equally many lesions each: low and high, n_lesions,
        n_positives, and the intervals of loss, the mean log loss, and excess, what of it is more
        than the probabilities themselves say. "loss": the rank correlation of the loss with the
        uncertainty; "by_probability": that with the loss that a probability says of itself. Both
        by the ranks among these lesions.
    """
    risk = lesions["probability"].to_numpy(np.float64).clip(LEAST, 1 - LEAST)
    y_true = lesions["target"].to_numpy()
    loss = -np.where(y_true == 1, np.log(risk), np.log1p(-risk))
    expected = -xlogy(risk, risk) - xlogy(1 - risk, 1 - risk)
    uncertainty = lesions["uncertainty"].to_numpy(np.float64)
    rank = rankdata(uncertainty)
    codes = np.minimum((rank - 1) / len(rank) * N_BINS, N_BINS - 1).astype(int)
    bins = []
    for code in np.unique(codes):
        inside = codes == code
        rows = np.stack([np.ones(len(rank)), loss, loss - expected]) * inside
        n, *sums = bootstrap.totals(rows, lesions, resamples)
        with np.errstate(invalid="ignore", divide="ignore"):
            means = [bootstrap.interval(s / n, resamples.confidence) for s in sums]
        bins.append(
            {
                "low": _digits(uncertainty[inside].min()),
                "high": _digits(uncertainty[inside].max()),
                "n_lesions": int(inside.sum()),
                "n_positives": int(y_true[inside].sum()),
                **dict(zip(("loss", "excess"), means, strict=True)),
            }
        )
    told = {"loss": rank, "by_probability": rankdata(expected)}
    ranks = rankdata(loss)
    return {
        "bins": bins,
        **{name: _correlation(by, ranks, lesions, resamples) for name, by in told.items()},
    }


def abstaining(
    lesions: pd.DataFrame, resamples: Resamples, *, threshold: float, min_tpr: float
) -> Details:
    """Measure what is gained where the most uncertain tenth of the lesions goes to a person.

    Args:
        lesions: patient_id, target, score and uncertainty.
        resamples: Of their patients, stratified.
        threshold: Score at and above which a lesion is flagged.
        min_tpr: Of the pAUC.

    Returns:
        share, n_lesions and n_positives of those left to a person. "rest": the intervals of auc,
        pauc and sensitivity of the others; "difference": the same less those of all lesions,
        which is what the others of a random tenth have on average. "found": sensitivity where
        what is flagged is examined and besides n_more lesions that are not, "uncertain" those
        among the most uncertain, "by_score" as many of the highest scores, "random" as many at
        random; "gain" is that of uncertain less by_score.
    """
    order = np.lexsort([lesions["isic_id"].to_numpy(str), -lesions["uncertainty"].to_numpy()])
    left = np.zeros(len(lesions), bool)
    left[order[: round(ABSTAINED * len(lesions))]] = True
    rest, difference = _areas(lesions, ~left, resamples, min_tpr)
    rates = _rates(lesions, left, resamples, threshold)
    confidence = resamples.confidence
    malignant = lesions[lesions["target"] == 1]
    n_patients = malignant["patient_id"].nunique()
    n_rest = malignant.loc[~left[lesions["target"] == 1], "patient_id"].nunique()
    rest["sensitivity"] = bootstrap.share(rates["rest"], confidence, n_patients=n_rest)
    difference["sensitivity"] = bootstrap.interval(rates["rest"] - rates["all"], confidence)
    names = ("uncertain", "by_score", "random")
    flagged = lesions["score"].to_numpy() >= threshold
    return {
        "share": ABSTAINED,
        "n_lesions": int(left.sum()),
        "n_positives": int(lesions["target"].to_numpy()[left].sum()),
        "n_more": int((left & ~flagged).sum()),
        "rest": rest,
        "difference": difference,
        "found": {
            name: bootstrap.share(rates[name], confidence, n_patients=n_patients) for name in names
        },
        "gain": bootstrap.interval(rates["uncertain"] - rates["by_score"], confidence),
    }


def _areas(
    lesions: pd.DataFrame, kept: np.ndarray, resamples: Resamples, min_tpr: float
) -> tuple[Details, Details]:
    own, difference = {}, {}
    rest = lesions[kept]
    names = ("auc", "pauc")
    if rest["target"].nunique() < 2:
        nothing = {name: dict(bootstrap.UNDEFINED) for name in names}
        return nothing, {name: dict(bootstrap.UNDEFINED) for name in names}
    ranked = [ranking.rank(t, t["score"], resamples.of(t)) for t in (rest, lesions)]
    measured = {"auc": ranking.Roc.auc, "pauc": lambda roc: roc.partial_auc(min_tpr)}
    for name in names:
        part, whole = (r.each(measured[name]) for r in ranked)
        own[name] = bootstrap.area(part, resamples.confidence)
        difference[name] = bootstrap.interval(part - whole, resamples.confidence)
    return own, difference


def _rates(
    lesions: pd.DataFrame, left: np.ndarray, resamples: Resamples, threshold: float
) -> dict[str, np.ndarray]:
    """Sensitivities by resample."""
    score = lesions["score"].to_numpy(np.float64)
    flagged = score >= threshold
    n_more, n_spared = int((left & ~flagged).sum()), int((~flagged).sum())
    order = np.lexsort([lesions["isic_id"].to_numpy(str), -np.where(flagged, -np.inf, score)])
    next_best = np.zeros(len(score), bool)
    next_best[order[:n_more]] = True
    positive = (lesions["target"] == 1).to_numpy(np.float64)
    by_chance = np.where(flagged, 1.0, n_more / max(1, n_spared))
    found = {
        "all": flagged,
        "uncertain": flagged | left,
        "by_score": flagged | next_best,
        "random": by_chance,
        "kept": ~left,
        "rest": flagged & ~left,
    }
    rows = np.stack([positive, *(positive * of for of in found.values())])
    n, *sums = bootstrap.totals(rows, lesions, resamples)
    of = dict(zip(found, sums, strict=True))
    with np.errstate(invalid="ignore", divide="ignore"):
        rates = {name: total / n for name, total in of.items()}
        rates["rest"] = of["rest"] / of["kept"]
    return rates


def _correlation(
    x: np.ndarray, y: np.ndarray, lesions: pd.DataFrame, resamples: Resamples
) -> bootstrap.Interval:
    x, y = x - x.mean(), y - y.mean()
    rows = np.stack([np.ones(len(x)), x, y, x * y, x * x, y * y])
    n, sx, sy, sxy, sxx, syy = bootstrap.totals(rows, lesions, resamples)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.sqrt((sxx - sx**2 / n) * (syy - sy**2 / n))
        return bootstrap.interval((sxy - sx * sy / n) / spread, resamples.confidence)


def _digits(value: float) -> float:
    return float(f"{value:.4g}")
