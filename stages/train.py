"""Stage `train`: fit one fold's network; keep its best epoch by validation pAUC, or its last.

The holdout is not read. Each epoch's values are logged through dvclive. A run that was killed
leaves its last epoch in the folder `checkpoints`, where the next one resumes. Of processes that
train together (docs/scaling.md), one writes and prints.
"""

from pathlib import Path

from skinlesion import command, params
from skinlesion.network import augment, backend
from skinlesion.network import model as network
from skinlesion.training import distribution, logger, run, schedule, settings
from skinlesion.training import fold as folds


def main(fold: int, files: folds.Files, *, model: Path, log: Path) -> None:
    p = settings.Settings(
        keras=params.load("keras", backend.Params),
        model=params.load("model", network.Params),
        augment=params.load("augment", augment.Params),
        train=params.load("train", schedule.Params),
    )
    backend.start(p.keras)
    shard = distribution.start(p.keras.devices)
    say = logger.speaker(f"fold {fold}", speaks=shard.writes)
    training = run.start(fold, files, p, script=Path(__file__), say=say)
    with logger.opened(log, writes=shard.writes) as logged:
        best = training.fit(logged)
    if shard.writes:
        training.save(model, best)
    say(best.summary(p.train))


if __name__ == "__main__":
    command.run(main)
