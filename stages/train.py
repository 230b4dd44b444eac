"""Stage `train`: fit one fold's network; keep its best epoch by validation pAUC, or its last.

With train.n_seeds, several, one after the other: the further ones are written to seed-1, seed-2
and so on, below the first. The holdout is not read. Each epoch's values are logged through dvclive.
A run that was killed leaves its last epoch in the folder `checkpoints`, and the last of each seed
that was finished, where the next one resumes. Of processes that train together (docs/scaling.md),
one writes and prints.
"""

from pathlib import Path

from skinlesion import command, params
from skinlesion.dataset import fold_seed
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
    runs = run.start(fold, files, p, script=Path(__file__), writes=shard.writes)
    finished = []
    for seed, training in enumerate(runs):
        with logger.opened(fold_seed.of_fold(log, seed), writes=shard.writes) as logged:
            best = training.fit(logged)
        if shard.writes:
            training.save(fold_seed.of_fold(model, seed), best)
        training.kept.say(best.summary(p.train))
        finished.append(training.kept)
    if shard.writes:
        run.finish(finished)


if __name__ == "__main__":
    command.run(main)
