"""The block `train` of small trainings, for the tests of several modules."""

from skinlesion.training import schedule

HEAD = {"strengths": [1.0, 0.1, 0.01], "n_folds": 3, "n_repeats": 1, "n_views": 1, "seed": 8}
PARAMS = {
    "fitted": "network",
    "head": HEAD,
    "n_seeds": 1,
    "n_epochs": 3,
    "batch_size": 16,
    "learning_rate": 3e-2,
    "backbone_rate": 1.0,
    "frozen_epochs": 0,
    "batch_norm": "trained",
    "warmup_epochs": 0.0,
    "schedule": "cosine",
    "final_fraction": 0.1,
    "weight_decay": 1e-4,
    "label_smoothing": 0.0,
    "auxiliary": {"diagnosis": 0.0, "biopsied": 0.0, "measurements": 0.0},
    "average_momentum": None,
    "select": "best",
    "early_stopping_patience": None,
    "seed": 4,
}


def params(**changes) -> schedule.Params:
    """Make the block, with changes."""
    return schedule.Params(**PARAMS | changes)
