"""What each number gives to the table expert, and what speaks for and against single lesions."""

from collections.abc import Iterable, Mapping
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
            places = pd.Index(given.isic_ids).get_indexer(pd.Index(ids))
            found.append(Scorer(e, rows, 1 / len(chosen), given.values[places]))
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
    totals: dict[int, dict[str, float]] = {}
    values: dict[tuple[int, str], float] = {}
    for s in scorers:
        names = s.expert.columns.names
        for row, given, parts in zip(
            s.rows, s.values, contributions.of(s.expert, s.values), strict=True
        ):
            of_lesion = totals.setdefault(int(row), {})
            for name, value, part in zip(names, given, parts, strict=True):
                of_lesion[name] = of_lesion.get(name, 0.0) + s.weight * float(part)
                values[int(row), name] = np.nan if name in s.expert.categories else float(value)
    found = []
    for row, of_lesion in sorted(totals.items()):
        isic_id = lesions["isic_id"].iloc[row]
        for side, sign in (("for", 1), ("against", -1)):
            best = sorted(of_lesion, key=lambda n: (-sign * of_lesion[n], n))[:N_REASONS]
            found += [
                (isic_id, side, contributions.named(n), values[row, n], of_lesion[n])
                for n in best
                if sign * of_lesion[n] > 0
            ]
    return pd.DataFrame(found, columns=COLUMNS)


def write(given: Files, expected: Iterable[int], job: Job, out: Path) -> None:
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
    gains: dict[str, float] = {}
    for s in scorers:
        for mode, ensemble in s.expert.ensembles.items():
            names = s.expert.columns.names
            names = names[: s.expert.columns.n_alone] if mode == expert.ALONE else names
            for booster in ensemble.boosters:
                for name, gain in zip(names, booster.feature_importance("gain"), strict=True):
                    number = name.split("|")[0]
                    gains[number] = gains.get(number, 0.0) + float(gain)
    return sorted((n for n in gains if gains[n] > 0), key=lambda n: (-gains[n], n))[:N_MEASURED]
