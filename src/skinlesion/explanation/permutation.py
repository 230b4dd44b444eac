"""What each input gives to the ranking: how far it falls when the input is permuted."""

from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import Field
from tqdm import tqdm

from skinlesion.dataset import metadata
from skinlesion.evaluation import bootstrap, ranking
from skinlesion.explanation import branches
from skinlesion.params import Block

__all__ = ["Params", "importance", "most_wrong", "primary", "sample", "summary"]

AMONG = {"across": ["fold"], "within": ["fold", "patient_id"]}  # lesions alike in these
KINDS = {"cancer ranked low": 1, "benign ranked high": 0}  # and their target
COLUMNS = [
    *("feature", "permuted"),
    *("pauc_drop", "pauc_low", "pauc_high"),
    *("auc_drop", "auc_low", "auc_high"),
]


class Params(Block):
    """Block `explain`: how inputs are permuted, and which tiles are shown."""

    n_permutations: int = Field(ge=1)
    max_negatives: int = Field(ge=1)
    n_shown: int = Field(ge=1)
    patch_fraction: float = Field(gt=0, lt=1)
    batch_size: int = Field(ge=1)
    seed: int = Field(ge=0)


def primary(predictions: Path) -> pd.DataFrame:
    """Read the scores to explain: those of the holdout, or out-of-fold where it is empty.

    Args:
        predictions: The folder that stage `predict` writes.

    Raises:
        InputError: One of the tables is absent or malformed.
    """
    holdout = metadata.read(predictions / "holdout.csv")
    return holdout if len(holdout) else metadata.read(predictions / "oof.csv")


def sample(scored: pd.DataFrame, p: Params) -> pd.DataFrame:
    """Take all positives, and at most p.max_negatives of the negatives.

    Args:
        scored: isic_id and target, one row per lesion. Their order is irrelevant.
        p: The block `explain`.

    Returns:
        The rows taken, sorted by isic_id.
    """
    lesions = scored.sort_values("isic_id", ignore_index=True)
    negatives = np.flatnonzero(lesions["target"] == 0)
    drawn = np.random.default_rng([p.seed, 0]).permutation(negatives)[: p.max_negatives]
    positives = np.flatnonzero(lesions["target"] == 1)
    return lesions.iloc[np.sort([*positives, *drawn])].reset_index(drop=True)


def most_wrong(scored: pd.DataFrame, p: Params) -> pd.DataFrame:
    """Choose the lesions to show: those that the ranking gets most wrong.

    Args:
        scored: isic_id, patient_id, target, fold and score, one row per lesion.
        p: The block `explain`.

    Returns:
        kind, isic_id, patient_id, fold, rank (1 is the riskiest; ties in the order of isic_id)
        and n_lesions. First the p.n_shown cancers ranked lowest, then as many negatives ranked
        highest, each kind with its worst first; fewer where there are no more.
    """
    lesions = scored.sort_values(["score", "isic_id"], ascending=[False, True], ignore_index=True)
    lesions = lesions.assign(rank=lesions.index + 1, n_lesions=len(lesions))
    shown = []
    for kind, target in KINDS.items():
        alike = lesions[lesions["target"] == target].assign(kind=kind)
        shown.append(alike.sort_values("rank", ascending=not target).head(p.n_shown))
    columns = ["kind", "isic_id", "patient_id", "fold", "rank", "n_lesions"]
    return pd.concat(shown, ignore_index=True)[columns]


def importance(
    members: list[branches.Member],
    lesions: pd.DataFrame,
    p: Params,
    resampling: bootstrap.Params,
) -> pd.DataFrame:
    """Measure how far pAUC and AUC fall when a feature is permuted.

    The tile is a feature, and each column of the metadata that a model reads, with all that
    it is encoded as. Permuted "across", a feature is that of any lesion; "within", that of a
    lesion of the same patient, so that what patients have in common keeps what it gives. In
    both cases the two lesions are of the same fold. One permutation serves all features.

    Args:
        members: From `branches.read`.
        lesions: isic_id, patient_id, target and fold, as given to `branches.read`.
        p: The block `explain`.
        resampling: The block `measure`.

    Returns:
        feature, permuted ("across" or "within"), and pauc_drop, pauc_low, pauc_high, auc_drop,
        auc_low and auc_high: the mean over p.n_permutations, and the interval of its paired
        bootstrap over patients.

    Raises:
        InputError: The lesions are not of both classes.

    Source:
        Breiman (2001), https://doi.org/10.1023/A:1010933404324
    """
    resamples, min_tpr = bootstrap.draw(lesions, resampling), resampling.min_tpr

    def measured(feature: str, order: np.ndarray) -> np.ndarray:  # (2, 1 + n_resamples)
        ranked = ranking.rank(lesions, branches.logits(members, feature, order), resamples)
        return ranked.each(lambda roc: np.stack([roc.partial_auc(min_tpr), roc.auc()]))

    orders = {among: _orders(lesions, columns, p) for among, columns in AMONG.items()}
    cases = [(feature, among) for feature in _features(members) for among in AMONG]
    before, rows = measured(branches.TILE, np.arange(len(lesions))), []
    for feature, among in tqdm(cases, "permuted", unit="feature", mininterval=1):
        drops = np.mean([before - measured(feature, order) for order in orders[among]], axis=0)
        pauc, auc = (bootstrap.interval(values, resamples.confidence) for values in drops)
        rows.append((feature, among, *pauc.values(), *auc.values()))
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.astype(dict.fromkeys(COLUMNS[2:], float))  # also where all are None


def summary(importance: pd.DataFrame) -> str:
    """Say in a line which feature matters most.

    Args:
        importance: From `importance`.
    """
    top = importance[importance["permuted"] == "across"].nlargest(1, "pauc_drop").iloc[0]
    return (
        f"{top['feature']} matters most: permuted across lesions, pAUC falls by "
        f"{top['pauc_drop']:.4f} ({top['pauc_low']:.4f} to {top['pauc_high']:.4f})"
    )


def _features(members: list[branches.Member]) -> list[str]:
    names = [branches.TILE] if any(m.pooled.shape[1] for m in members) else []
    for m in members:
        names += m.model.whole.encoder.columns
    return list(dict.fromkeys(names))


def _orders(lesions: pd.DataFrame, columns: list[str], p: Params) -> list[np.ndarray]:
    """Permutations among the lesions that are alike in some columns."""
    groups = lesions.groupby(columns).ngroup().to_numpy()
    places, rng = np.argsort(groups, kind="stable"), np.random.default_rng([p.seed, 1])
    orders = []
    for _ in range(p.n_permutations):
        order = np.empty_like(places)
        order[places] = np.lexsort([rng.random(len(groups)), groups])
        orders.append(order)
    return orders
