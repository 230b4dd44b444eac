"""What is known of a pull request, and what stands in the way of a merge."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import Field

from skinlesion.evaluation.bootstrap import UNDEFINED, Interval
from skinlesion.experiments.changes import Change, Metric
from skinlesion.experiments.stage_graph import Difference
from skinlesion.params import Block

__all__ = [
    "HOLDOUT",
    "SETS",
    "Compared",
    "Facts",
    "Params",
    "objections",
    "pauc_sentence",
    "shortened",
    "verdict",
]

HOLDOUT = "holdout"
SETS = {HOLDOUT: "holdout", "oof": "out-of-fold"}  # the first that both sides have is judged
N_NAMED = 10
PASSED = "passed"
PASSED_IN_PART = "passed, as far as it could look: remote and interval were not"
NOT_PASSED = "not passed"

Compared = Mapping[str, Mapping[str, Interval]]  # from `comparison.paired`


class Params(Block):
    """Block `pull_request`: what is let through."""

    max_pauc_drop: float = Field(ge=0, lt=1)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a pull request."""

    before: str  # hash of the commit where it left its base
    head: str  # hash of its own last commit
    metrics: Mapping[str, Metric]
    params: Mapping[str, Change]
    compared: Compared | str  # on the holdout; or why it could not be compared
    confidence: float  # of its intervals, in (0, 1)
    roc: str  # a chart in Markdown; "" where there is no curve
    stale: list[str]  # stages
    not_in_remote: list[str] | None  # paths; None where there are no credentials to look
    outs: Mapping[str, list[str]]  # paths by "added", "changed" and "removed"
    graph: Difference
    files: list[str]  # names of what lies beside the report
    absent: list[str]  # what ought to lie there, and why it does not

    def difference(self, key: str) -> Interval:
        """The interval by which a metric differs, UNDEFINED where the two were not compared."""
        of, _, measure = key.rpartition(".")
        if of != HOLDOUT or isinstance(self.compared, str) or measure not in self.compared:
            return UNDEFINED
        return self.compared[measure]["difference"]


def objections(facts: Facts, p: Params) -> list[str]:
    """List what stands in the way of a merge.

    Args:
        facts: What is known of the pull request.
        p: The block `pull_request`.

    Returns:
        A sentence each; none where the pull request passes.
    """
    lost = [k for k, m in facts.metrics.items() if m.before is not None and m.after is None]
    measured = [k for k, m in facts.metrics.items() if m.after is not None]
    fell_too_far, sentence = _judged(facts, p)
    stages = shortened(facts.stale)
    possible = {
        f"dvc.lock is not current: `dvc repro` would run {stages}. Run it, and commit dvc.lock.": (
            facts.stale
        ),
        f"Not on the remote: {shortened(facts.not_in_remote or [])}. Run `dvc push`.": (
            facts.not_in_remote
        ),
        f"Metrics that were there before are missing: {shortened(lost)}.": lost,
        "There is no pAUC.": not {f"{name}.pauc" for name in SETS} & set(measured),
        sentence: fell_too_far,
    }
    return [words for words, holds in possible.items() if holds]


def verdict(facts: Facts, p: Params) -> str:
    """Say whether the pull request passes, and whether all could be looked at.

    Args:
        facts: What is known of the pull request.
        p: The block `pull_request`.
    """
    if objections(facts, p):
        return NOT_PASSED
    return PASSED if facts.not_in_remote is not None else PASSED_IN_PART


def pauc_sentence(facts: Facts, p: Params) -> str:
    """Say in a sentence how the pAUC moved, and how that is judged.

    Args:
        facts: What is known of the pull request.
        p: The block `pull_request`.
    """
    return _judged(facts, p)[1]


def shortened(names: list[str]) -> str:
    """Quote the first ten names in Markdown, and count the others."""
    more = len(names) - N_NAMED
    return ", ".join(f"`{n}`" for n in names[:N_NAMED]) + (f" and {more:,} more" * (more > 0))


def _judged(facts: Facts, p: Params) -> tuple[bool, str]:
    """Whether the pAUC fell too far, and a sentence that says how it moved."""
    differences = {name: facts.metrics.get(f"{name}.pauc", Metric()).difference for name in SETS}
    known = {name: d for name, d in differences.items() if d is not None}
    if not known:
        return False, "There is no pAUC on both sides to compare."
    name, change = next(iter(known.items()))
    moved = f"The {SETS[name]} pAUC {'fell' if change < 0 else 'rose'} by {abs(change):.4f}"
    limit = f"the {p.max_pauc_drop:g} that is let through"
    if change >= -p.max_pauc_drop - 1e-12:  # what a difference of binary fractions may add
        return False, f"{moved}, within {limit}." if change < 0 else f"{moved}."
    high = facts.difference(f"{name}.pauc")["high"]
    if high is None:
        return True, f"{moved}, more than {limit}, and no interval shows that it may be chance."
    if high >= 0:
        return False, f"{moved}, more than {limit}, but its interval holds zero: it may be chance."
    return True, f"{moved}, more than {limit}, and its interval excludes zero."
