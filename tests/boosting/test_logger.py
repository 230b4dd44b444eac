"""boosting.logger: a table per value, a row per round, the same bytes each time."""

import pandas as pd

from skinlesion.boosting import logger

LOG = {"train/loss": [0.5, 0.25, 0.125], "validation/auc": [0.6, 0.7, 0.8]}


def test_each_round_is_a_row(tmp_path):
    logger.write(tmp_path / "log", LOG)
    table = pd.read_csv(tmp_path / "log/plots/metrics/train/loss.tsv", sep="\t")
    assert table["step"].tolist() == [0, 1, 2]
    assert table["loss"].tolist() == LOG["train/loss"]


def test_the_same_rounds_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        logger.write(tmp_path / name, LOG)
    files = [
        p.relative_to(tmp_path / "a") for p in sorted((tmp_path / "a").rglob("*")) if p.is_file()
    ]
    assert files
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_nothing_to_log_leaves_the_folder_that_a_stage_must_write(tmp_path):
    logger.write(tmp_path / "log", {})
    assert (tmp_path / "log").is_dir()
