"""The report on a pull request: what it changes, and what stands in the way of a merge."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import Field

from skinlesion.evaluation.bootstrap import UNDEFINED, Interval
from skinlesion.experiments.changes import Change, Metric
from skinlesion.params import Block

__all__ = ["Compared", "Facts", "Params", "markdown", "objections"]

HOLDOUT = "holdout"
SETS = {HOLDOUT: "holdout", "oof": "out-of-fold"}  # the first that both sides have is judged
MEASURES = {"pauc": "pAUC", "auc": "AUC"}
LIMITS = ("_low", "_high")  # of a metric's own interval
N_NAMED = 10

Compared = Mapping[str, Mapping[str, Interval]]  # from `comparison.paired`


class Params(Block):
    """Block `pull_request`: what is let through."""

    max_pauc_drop: float = Field(ge=0, lt=1)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a pull request."""

    before: str  # hash of the commit where it left its base
    after: str  # hash of its own commit
    metrics: Mapping[str, Metric]
    params: Mapping[str, Change]
    compared: Compared | str  # on the holdout; or why it could not be compared
    confidence: float  # of its intervals, in (0, 1)
    stale: list[str]  # stages
    not_in_remote: list[str] | None  # paths; None where there are no credentials to look
    graph: str  # Markdown
    files: list[str]  # names of what lies beside the report
    absent: list[str]  # what ought to lie there, and why it does not
    address: str  # of those files; "" where they have none

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
    possible = {
        f"dvc.lock is not current: `dvc repro` would run {_some(facts.stale)}. Run it, and commit "
        "dvc.lock.": facts.stale,
        f"Not on the remote: {_some(facts.not_in_remote or [])}. Run `dvc push`.": (
            facts.not_in_remote
        ),
        f"Metrics that were there before are missing: {_some(lost)}.": lost,
        "There is no pAUC.": not {f"{name}.pauc" for name in SETS} & set(measured),
        sentence: fell_too_far,
    }
    return [words for words, holds in possible.items() if holds]


def markdown(facts: Facts, p: Params) -> str:
    """Write the report.

    Args:
        facts: What is known of the pull request.
        p: The block `pull_request`.

    Returns:
        Markdown as GitHub and GitLab show it, without pictures.
    """
    blocks = [
        f"## Report on `{facts.after[:7]}`, compared with `{facts.before[:7]}`",
        *_verdict(facts, p),
        *_metrics(facts),
        *_params(facts),
        *_data(facts),
        *_files(facts),
        f"<details><summary>Stages</summary>\n\n{facts.graph}\n\n</details>\n",
    ]
    return "\n\n".join(blocks)


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


def _verdict(facts: Facts, p: Params) -> list[str]:
    found = objections(facts, p)
    if not found:
        return [f"**Gate: passed.** {_judged(facts, p)[1]}"]
    return ["**Gate: not passed.**", "\n".join(f"- {sentence}" for sentence in found)]


def _metrics(facts: Facts) -> list[str]:
    keys = sorted((key for key in facts.metrics if not key.endswith(LIMITS)), key=_place)
    note = (
        f"No interval of the difference: {facts.compared}"
        if isinstance(facts.compared, str)
        else "The interval is of the difference, from a paired bootstrap over patients."
    )
    head = ["metric", "before", "after", "difference", f"{100 * facts.confidence:g} % interval"]
    return ["### Metrics", _table(head, [_metric(key, facts) for key in keys]), note]


def _metric(key: str, facts: Facts) -> list[str]:
    of, _, measure = key.rpartition(".")
    sides = [
        _value(*(facts.metrics.get(key + end, Metric())[side] for end in ("", *LIMITS)))
        for side in (0, 1)
    ]
    change, interval = facts.metrics[key].difference, facts.difference(key)
    return [
        f"{SETS.get(of, of)} {MEASURES.get(measure, measure)}".strip(),
        *sides,
        "" if change is None else _figure(change, "+"),
        _range(interval["low"], interval["high"], "+.4f"),
    ]


def _params(facts: Facts) -> list[str]:
    if not facts.params:
        return ["### Params", "None changed."]
    rows = [[f"`{key}`", _code(c.before), _code(c.after)] for key, c in facts.params.items()]
    return ["### Params", _table(["param", "before", "after"], rows)]


def _data(facts: Facts) -> list[str]:
    lock = "dvc.lock is not current." if facts.stale else "dvc.lock is current."
    if facts.not_in_remote is None:
        remote = "Not looked at: whether its data is on the remote. This run has no credentials."
    elif facts.not_in_remote:
        remote = f"Of its data, {len(facts.not_in_remote):,} paths are not on the remote."
    else:
        remote = "All of its data is on the remote."
    return ["### Data", f"{lock} {remote}"]


def _files(facts: Facts) -> list[str]:
    where = f"[files of this run]({facts.address})" if facts.address else "files of this run"
    blocks = [f"In the {where}: {', '.join(facts.files) or 'nothing'}."]
    if facts.absent:
        blocks.append("Not there:\n" + "\n".join(f"- {what}" for what in facts.absent))
    return ["### Full report and curves", *blocks]


def _place(key: str) -> tuple[bool, bool, str]:
    """The holdout first, and the pAUC before what else is measured."""
    return not key.startswith(HOLDOUT), not key.endswith(".pauc"), key


def _value(value: float | None, low: float | None, high: float | None) -> str:
    own = _range(low, high, ".3f")
    return "-" if value is None else _figure(value) + (f" ({own})" if own else "")


def _figure(value: float, sign: str = "") -> str:
    """A count as it is, any other number to four decimals and never as -0."""
    if isinstance(value, int):
        return f"{value:{sign},}"
    return f"{round(value, 4) + 0.0:{sign}.4f}"


def _range(low: float | None, high: float | None, digits: str) -> str:
    return "" if low is None or high is None else f"{low:{digits}} to {high:{digits}}"


def _code(value: object) -> str:
    if value is None:
        return "-"
    text = value if isinstance(value, str) else json.dumps(value)  # DVC has lists as text already
    return f"`{text.replace('`', '')}`"


def _some(names: list[str]) -> str:
    more = len(names) - N_NAMED
    return ", ".join(f"`{n}`" for n in names[:N_NAMED]) + (f" and {more:,} more" * (more > 0))


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *rows]  # figures to the right
    safe = [[cell.replace("|", "\\|") for cell in row] for row in lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in safe)
