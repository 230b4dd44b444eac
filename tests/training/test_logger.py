"""training.logger: each epoch is logged by dvclive, by one process alone."""

import json

from skinlesion.training import logger


def test_logged_values_are_kept_by_epoch(tmp_path):
    with logger.opened(tmp_path / "live") as log:
        log(0, {"train/loss": 2.0, "validation/pauc": 0.1})
        log(1, {"train/loss": 1.0, "validation/pauc": 0.2})
    last = json.loads((tmp_path / "live" / "metrics.json").read_text())
    curve = (tmp_path / "live/plots/metrics/validation/pauc.tsv").read_text().splitlines()

    assert last == {"train": {"loss": 1.0}, "validation": {"pauc": 0.2}, "step": 1}
    assert curve == ["step\tpauc", "0\t0.1", "1\t0.2"]


def test_a_process_that_does_not_write_logs_nothing(tmp_path):
    with logger.opened(tmp_path / "live", writes=False) as log:
        log(0, {"train/loss": 2.0})

    assert list(tmp_path.iterdir()) == []


def test_of_processes_that_train_together_one_prints(capsys):
    for speaks in (True, False):
        logger.speaker("fold 3", speaks=speaks)("resumes")

    assert capsys.readouterr().out == "fold 3: resumes\n"
