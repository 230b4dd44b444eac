"""Combine the members' scores into one, by what out-of-fold lesions show."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field, ValidationError
from scipy.special import expit

from skinlesion.dataset import metadata
from skinlesion.errors import InputError
from skinlesion.evaluation import calibration
from skinlesion.params import Block

__all__ = [
    "ALONE",
    "SPREADS",
    "Combination",
    "Params",
    "apply",
    "apply_nested",
    "fit",
    "join",
    "load",
    "marked",
    "nested",
    "present",
    "save",
    "summary",
]

# A member's scores where each lesion is read as its patient's only one; others do not differ.
ALONE = {"table": "table_alone"}
# How far a member's logit spreads, by source.
SPREADS = {
    "network": ("network_sd_folds", "network_sd_views"),
    "table": ("table_sd_folds", "table_sd_seeds"),
}
N_STEPS = 1000  # between the out-of-fold logits that stand for their ranks


class Params(calibration.Params):
    """Block `calibrate`: which members are combined, and how scores become probabilities."""

    members: list[Literal["network", "table"]] = Field(min_length=1)
    combine: Literal["logistic", "ranks"]


class Combination(Block):
    """One score of several members'."""

    method: Literal["one", "logistic", "ranks"]
    weights: dict[str, float]  # by member; their sum is 1
    ranks: dict[str, list[float]]  # by member, logits out of fold at equal steps of their rank

    def score(self, scores: pd.DataFrame, *, alone: bool = False) -> np.ndarray:
        """Combine scores.

        Args:
            scores: A column of scores per member, in [0, 1].
            alone: Whether each lesion counts as its patient's only one.

        Returns:
            Shape (n_lesions,), in [0, 1]: the only member's score; or that of the weighted mean
            of the logits; or the weighted mean of the ranks among the out-of-fold lesions.
        """
        total = np.zeros(len(scores))
        for name, weight in self.weights.items():
            column = ALONE.get(name, name) if alone else name
            given = scores[column].to_numpy(np.float64)
            if self.method == "one":
                return given
            logits = calibration.logits(given)
            total += weight * (self._rank(name, logits) if self.method == "ranks" else logits)
        return total if self.method == "ranks" else np.asarray(expit(total))

    def uncertainty(self, scores: pd.DataFrame) -> np.ndarray:
        """Say how far the models that made a score are apart.

        Args:
            scores: The columns of SPREADS, those that there are.

        Returns:
            Shape (n_lesions,), the standard deviation of the logit of `score` over folds, seeds
            and views, as if these moved it independently of each other; NaN where the members
            that count are of one model and one view, or where ranks are combined, not logits.
        """
        total, found = np.zeros(len(scores)), np.zeros(len(scores), bool)
        for name, weight in self.weights.items() if self.method != "ranks" else ():
            for column in SPREADS[name] if weight else ():
                if column in scores:
                    sd = scores[column].to_numpy(np.float64)
                    total += weight**2 * np.nan_to_num(sd) ** 2
                    found |= ~np.isnan(sd)
        return np.where(found, np.sqrt(total), np.nan)

    def _rank(self, name: str, logits: np.ndarray) -> np.ndarray:
        steps = self.ranks[name]
        places = (np.arange(len(steps)) + 0.5) / len(steps)
        return np.asarray(np.interp(logits, steps, places))


def join(predictions: Path) -> dict[str, pd.DataFrame]:
    """Read the members' scores.

    Args:
        predictions: The folder that stage `predict` writes.

    Returns:
        Under "submission", "holdout" and "oof": what the network's table holds, its score as
        `network`, and `table`, `table_alone` and `colour`, those that were scored; the columns of
        SPREADS, those that there are.

    Raises:
        InputError: A table is absent, or lacks a lesion of the network's.
    """
    found = {}
    for name, other in (("submission", "test"), ("holdout", "holdout"), ("oof", "oof")):
        scored = metadata.read(predictions / f"{name}.csv")
        network = scored["target" if name == "submission" else "score"]
        added = _by_table(predictions / f"table-{other}.csv", scored["isic_id"])
        spread = metadata.read(predictions / f"network-{other}.csv").set_index("isic_id")
        spread = spread.reindex(scored["isic_id"]).reset_index(drop=True)
        found[name] = pd.concat([scored.assign(network=network), added, spread], axis=1)
    return found


def marked(table: pd.DataFrame, marks_csv: Path) -> pd.DataFrame:
    """Mark the lesions that lie far outside the training data.

    Args:
        table: isic_id, one row per lesion.
        marks_csv: isic_id and shift, of these lesions, from stage `shift`.

    Returns:
        The table with shift, "" or what is far outside, as its last column.

    Raises:
        InputError: A lesion has no row.
    """
    marks = metadata.read(marks_csv, columns=["isic_id", "shift"], text=["shift"])
    found = marks.set_index("isic_id")["shift"]
    absent = sorted(set(table["isic_id"]) - set(found.index))
    if absent:
        raise InputError(f"{marks_csv} must hold every lesion. {absent[0]} is absent.")
    return table.assign(shift=found.loc[table["isic_id"]].fillna("").to_numpy())


def _by_table(path: Path, isic_ids: pd.Series) -> pd.DataFrame:
    """Read the scores by the lesions' numbers, in the order of the lesions."""
    scores = metadata.read(path).set_index("isic_id")
    absent = sorted(set(isic_ids) - set(scores.index)) if len(scores.columns) else []
    if absent:
        raise InputError(f"{path} must hold every lesion. {absent[0]} is absent.")
    return scores.reindex(isic_ids).reset_index(drop=True)


def present(scored: pd.DataFrame, p: Params) -> list[str]:
    """List the members that have scores.

    Args:
        scored: From `join`.
        p: The block `calibrate`.

    Raises:
        InputError: None has.
    """
    names: list[str] = [name for name in p.members if name in scored]
    if not names:
        raise InputError(f"calibrate.members must name a member with scores. Got {p.members}.")
    return names


def fit(oof: pd.DataFrame, members: list[str], p: Params) -> Combination:
    """Fit the weights.

    Args:
        oof: patient_id, target and the members' scores, each of models that did not learn from
            the patient.
        members: From `present`.
        p: The block `calibrate`.

    Returns:
        By p.combine, "logistic": the weights of a logistic regression on the logits, none
        negative; equal ones where fewer than p.n_parts patients have a malignancy, or no finite
        fit exists. "ranks": equal weights.
    """
    if len(members) == 1:
        return Combination(method="one", weights={members[0]: 1.0}, ranks={})
    logits = {name: calibration.logits(oof[name]) for name in members}
    equal = {name: 1 / len(members) for name in members}
    if p.combine == "ranks":
        steps = np.linspace(0, 1, N_STEPS + 1)
        ranks = {name: np.quantile(z, steps).tolist() for name, z in logits.items()}
        return Combination(method="ranks", weights=equal, ranks=ranks)
    n_malignant = oof.loc[oof["target"] == 1, "patient_id"].nunique()
    weights = _weights(logits, oof["target"].to_numpy()) if n_malignant >= p.n_parts else {}
    return Combination(method="logistic", weights=weights or equal, ranks={})


def apply(scored: pd.DataFrame, combined: Combination) -> pd.DataFrame:
    """Combine scores.

    Args:
        scored: From `join`.
        combined: From `fit`.

    Returns:
        What is known of the lesions, score, the members' scores as `member_...`, and, where
        there is a table expert, score_alone, of each lesion as its patient's only one; the
        columns of SPREADS that there are, and uncertainty, as `Combination.uncertainty`.
    """
    score, alone = combined.score(scored), combined.score(scored, alone=True)
    return _laid_out(scored, score, alone, combined.uncertainty(scored))


def apply_nested(oof: pd.DataFrame, members: list[str], p: Params) -> pd.DataFrame:
    """Combine out-of-fold scores as `nested` does.

    Args:
        oof: From `join`.
        members: From `present`.
        p: The block `calibrate`.

    Returns:
        As `apply`, and probability.
    """
    score, alone, probability, uncertainty = nested(oof, members, p)
    return _laid_out(oof, score, alone, uncertainty).assign(probability=probability)


def save(path: Path, combined: Combination) -> None:
    """Write a combination.

    Args:
        path: combination.json.
        combined: From `fit`.
    """
    path.write_text(combined.model_dump_json(indent=1) + "\n")


def load(path: Path) -> Combination:
    """Read a combination.

    Args:
        path: combination.json.

    Raises:
        InputError: The file is absent or is no combination.
    """
    try:
        return Combination.model_validate_json(path.read_text())
    except (OSError, ValidationError) as error:
        raise InputError(f"{path} must be a combination. {error}") from None


def nested(oof: pd.DataFrame, members: list[str], p: Params) -> tuple[np.ndarray, ...]:
    """Combine scores and turn them into probabilities without any patient deciding on their own.

    Args:
        oof: As for `fit`.
        members: From `present`.
        p: The block `calibrate`.

    Returns:
        Scores, scores of each lesion alone, probabilities and uncertainties, each of shape
        (n_lesions,). Each part of the patients is combined and calibrated by the others.
    """
    if len(members) == 1:
        one = fit(oof, members, p)
        lesions = oof.assign(score=one.score(oof))
        alone, apart = one.score(oof, alone=True), one.uncertainty(oof)
        return one.score(oof), alone, calibration.nested(lesions, p), apart
    part = calibration.parts(oof, p)
    score, alone, probability, apart = (np.empty(len(oof)) for _ in range(4))
    left_as_it_is = False
    for i in range(p.n_parts):
        own, others = oof[part == i], oof[part != i]
        combined = fit(others, members, p)
        calibrator = calibration.fit(others.assign(score=combined.score(others)), p)
        left_as_it_is |= calibrator.method == "none"
        score[part == i] = combined.score(own)
        alone[part == i] = combined.score(own, alone=True)
        apart[part == i] = combined.uncertainty(own)
        probability[part == i] = calibrator.probability(score[part == i])
    return score, alone, score if left_as_it_is else probability, apart


def summary(combined: Combination) -> str:
    """Say in a line what the score is made of.

    Args:
        combined: From `fit`.
    """
    said = " + ".join(f"{weight:.2f} {name}" for name, weight in combined.weights.items())
    of = {"one": "the score of", "logistic": "log odds:", "ranks": "ranks out of fold:"}
    return f"{of[combined.method]} {said}"


def _laid_out(
    scored: pd.DataFrame, score: np.ndarray, alone: np.ndarray, apart: np.ndarray
) -> pd.DataFrame:
    kept = [c for c in ("isic_id", "patient_id", "target", "fold") if c in scored]
    found = scored[kept].assign(score=score)
    for name in ("network", "table", "table_alone", "colour"):
        if name in scored:
            found[f"member_{name}"] = scored[name]
    if "table_alone" in scored:
        found["score_alone"] = alone
    spreads = [c for columns in SPREADS.values() for c in columns if c in scored]
    found[spreads] = scored[spreads]
    return found.assign(uncertainty=apart)


def _weights(logits: Mapping[str, np.ndarray], y_true: np.ndarray) -> dict[str, float]:
    """Weights of a logistic regression, scaled to a sum of 1; {} where none can be fitted."""
    names = list(logits)
    while names:
        z = np.column_stack([logits[name] for name in names])
        middle, spread = z.mean(0), np.where(z.std(0) > 0, z.std(0), 1.0)
        design = np.column_stack([np.ones(len(z)), (z - middle) / spread])
        drawn_in = calibration.targets(y_true)[:, None]
        beta = calibration.logistic(
            design, drawn_in, np.ones_like(drawn_in), offset=np.zeros(len(z))
        )[1:, 0]
        if not np.isfinite(beta).all():
            return {}
        if (beta > 0).all():
            weight = beta / spread / (beta / spread).sum()
            return {name: float(w) for name, w in zip(names, weight, strict=True)}
        names.pop(int(np.argmin(beta)))  # a member that counts against itself is left out
    return {}
