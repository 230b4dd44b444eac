"""Facts of a pull request that changes nothing, for tests to change."""

from skinlesion.experiments.changes import Metric
from skinlesion.experiments.pull_request import Facts, Params
from skinlesion.experiments.stage_graph import Difference

PARAMS = Params(max_pauc_drop=0.005)


def compared(low: float | None, high: float | None) -> dict:
    """What `comparison.paired` finds, with this interval of both differences."""
    interval = {"value": 0.0, "low": low, "high": high}
    return {name: {"difference": interval} for name in ("pauc", "auc")}


def metrics(before: float | None, after: float | None, *, of: str = "holdout") -> dict:
    return {f"{of}.auc": Metric(0.9, 0.9), f"{of}.pauc": Metric(before, after)}


CURRENT = Facts(
    before="b" * 40,
    head="a" * 40,
    metrics=metrics(0.15, 0.15),
    params={},
    compared=compared(-0.01, 0.01),
    confidence=0.95,
    roc="",
    stale=[],
    not_in_remote=[],
    outs={"added": [], "changed": [], "removed": []},
    graph=Difference(stages={}, arrows={}),
    files=["report.html", "roc-curve.png"],
    absent=[],
)
