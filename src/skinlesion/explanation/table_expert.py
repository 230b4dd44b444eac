"""What each number gives to the table expert, and what speaks for and against single lesions."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from skinlesion.boosting import contributions, expert, matrix
from skinlesion.dataset import partition
from skinlesion.evaluation import bootstrap
from skinlesion.explanation import permutation
from skinlesion.explanation.files import Files

__all__ = ["Job", "Scorer", "importance", "read", "reasons", "write"]

N_MEASURED = 12  # numbers that are permuted: those of the largest gain in the trees
N_REASONS = 3  # for, and as many against, of each lesion
COLUMNS = ["isic_id", "side", "number", "value", "contribution"]


@dataclass(frozen=True)
class Job:
    """What is explained, and how."""

    lesions: pd.DataFrame  # whose ranking is measured: isic_id, patient_id, target and fold
    wrong: pd.DataFrame  # those shown, each of which gets its reasons: isic_id and fold
    p: permutation.Params
    resampling: bootstrap.Params


@dataclass(frozen=True)
class Scorer:
    """An expert, and what it reads of the lesions that it scores."""

    expert: expert.Expert
    rows: np.ndarray  # shape (n_rows,), rising: which of all the lesions they are
    weight: float  # of its logits in the mean of the experts
    values: np.ndarray  # shape (n_rows, n_columns), float32

    def permuted(self, number: str, order: np.ndarray) -> np.ndarray:
        """Score its lesions, one of whose numbers, with all that is relative, is that of others.

        Args:
            number: Of the plan; one that the expert does not read has no effect.
            order: Shape (n_rows,), whose number each lesion gets.
        """
        names = self.expert.columns.names
        columns = np.flatnonzero([name.split("|")[0] == number for name in names])
        values = self.values.copy()
        values[:, columns] = values[np.ix_(order, columns)]
        return self.expert.logits(values).context


def read(
    experts: Mapping[int, expert.Expert], lesions: pd.DataFrame, parquet: Path
) -> list[Scorer]:
    """Let each expert read the lesions that it scores.

    Args:
        experts: By fold.
        lesions: isic_id and fold. The holdout is scored by all experts, each other fold by its
            own, which did not see it.
        parquet: train.parquet of stage `derive`.

    Returns:
        A scorer per expert and fold that it scores; none where there is no expert.

    Raises:
        InputError: The table lacks a lesion or a number.
    """
    found = []
    for fold in sorted(lesions["fold"].unique()) if experts else []:
        rows = np.flatnonzero(lesions["fold"] == fold)
        ids = lesions["isic_id"].to_numpy()[rows]
        chosen = list(experts) if fold == partition.HOLDOUT else [fold]
        for e in (experts[k] for k in chosen if k in experts):
            given = matrix.read(parquet, e.columns, e.categories, pd.Index(ids))
            found.append(Scorer(e, rows, 1 / len(chosen), given.values))
    return found


def importance(
    scorers: list[Scorer],
    lesions: pd.DataFrame,
    p: permutation.Params,
    resampling: bootstrap.Params,
) -> pd.DataFrame:
    """Measure how far the expert's pAUC and AUC fall when a number is permuted.

    A number is permuted with all that is relative to others of it; those that the trees gain
    most by are measured.

    Args:
        scorers: From `read`.
        lesions: isic_id, patient_id, target and fold, as given to `read`.
        p: The block `explain`.
        resampling: The block `measure`.

    Returns:
        As `permutation.importance`; empty without scorers.
    """

    def score(number: str, order: np.ndarray) -> np.ndarray:
        total = np.zeros(len(lesions))
        for s in scorers:
            total[s.rows] += s.weight * s.permuted(number, np.searchsorted(s.rows, order[s.rows]))
        return total

    if not scorers:
        return pd.DataFrame(columns=permutation.COLUMNS)
    return permutation.drops(score, _gained(scorers), lesions, p, resampling)


def reasons(scorers: list[Scorer], lesions: pd.DataFrame) -> pd.DataFrame:
    """Say what speaks for and against each lesion, by the trees' own account (TreeSHAP).

    Args:
        scorers: From `read`, of these lesions.
        lesions: isic_id, one row per lesion.

    Returns:
        isic_id; side, "for" or "against"; number, in words; value, NaN where it is missing or a
        category; and contribution to the log odds, which is positive for a cancer. The N_REASONS
        largest of either side, largest first.
    """
    if not scorers:
        return pd.DataFrame(columns=COLUMNS)
    parts = pd.concat([_parts(s) for s in scorers]).groupby(["row", "name"])
    found = parts.agg(value=("value", "first"), contribution=("contribution", "sum")).reset_index()
    found = found[found["contribution"] != 0]
    found["side"] = np.where(found["contribution"] > 0, "for", "against")
    found["size"] = found["contribution"].abs()
    by = ["row", "side", "size", "name"]
    found = found.sort_values(by, ascending=[True, False, False, True])
    found = found.groupby(["row", "side"], sort=False).head(N_REASONS)
    found["isic_id"] = lesions["isic_id"].to_numpy()[found["row"]]
    found["number"] = [contributions.named(name) for name in found["name"]]
    return found[COLUMNS].reset_index(drop=True)


def write(given: Files, expected: Collection[int], job: Job, out: Path) -> None:
    """Explain the experts: write table-importance.csv and table-reasons.csv.

    Args:
        given: Where they and the numbers are.
        expected: The folds that must be there, and no others.
        job: What is explained.
        out: The folder to write into.

    Raises:
        InputError: A file is absent or malformed, or lacks a lesion or a number.
    """
    experts = expert.load_folds(given.experts, expected=expected)
    parquet = given.features / "train.parquet"
    measured, shown = (read(experts, t, parquet) for t in (job.lesions, job.wrong))
    found = importance(measured, job.lesions, job.p, job.resampling)
    found.to_csv(out / "table-importance.csv", index=False)
    said = reasons(shown, job.wrong)
    said.to_csv(out / "table-reasons.csv", index=False, float_format="%.6g")


def _gained(scorers: list[Scorer]) -> list[str]:
    gains = pd.concat([gain for s in scorers for gain in _gains(s)])
    total = gains.groupby(level=0).sum()
    return sorted(total[total > 0].index, key=lambda n: (-total[n], n))[:N_MEASURED]


def _gains(s: Scorer) -> Iterator[pd.Series]:
    """What each of an expert's models gains, by number."""
    numbers = [name.split("|")[0] for name in s.expert.columns.names]
    for ensemble in s.expert.ensembles.values():
        for booster in ensemble.boosters:
            gain = booster.feature_importance("gain")
            yield pd.Series(gain, numbers[: len(gain)])


def _parts(s: Scorer) -> pd.DataFrame:
    """What each number gives to each lesion's score: row, name, value and contribution."""
    names = np.array(s.expert.columns.names)
    is_code = np.isin(names, list(s.expert.categories))
    return pd.DataFrame(
        {
            "row": np.repeat(s.rows, len(names)),
            "name": np.tile(names, len(s.rows)),
            "value": np.where(is_code, np.nan, s.values.astype(np.float64)).ravel(),
            "contribution": s.weight * contributions.of(s.expert, s.values).ravel(),
        }
    )
