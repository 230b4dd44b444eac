"""Log the rounds of boosting with dvclive."""

from collections.abc import Mapping
from pathlib import Path

from dvclive import Live

__all__ = ["write"]


def write(folder: Path, log: Mapping[str, list[float]]) -> None:
    """Write a table per value, a row per round.

    Args:
        folder: Where dvclive writes.
        log: By name, a value per round.
    """
    # As for training: neither dvc.yaml nor an experiment is touched, and no clock is logged.
    with Live(str(folder), dvcyaml=None, save_dvc_exp=False, report=None) as live:
        for values in zip(*log.values(), strict=True):
            _write_round(live, dict(zip(log, values, strict=True)))


def _write_round(live: Live, measured: Mapping[str, float]) -> None:
    for name, value in measured.items():
        live.log_metric(name, value)
    live.next_step()
