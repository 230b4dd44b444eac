"""The block `train` of small trainings, for the tests of several modules."""

from skinlesion.training import schedule

PARAMS = {
    "n_epochs": 3,
    "batch_size": 16,
    "learning_rate": 3e-2,
    "warmup_epochs": 0.0,
    "schedule": "cosine",
    "final_fraction": 0.1,
    "weight_decay": 1e-4,
    "label_smoothing": 0.0,
    "early_stopping_patience": None,
    "seed": 4,
}


def params(**changes) -> schedule.Params:
    """Make the block, with changes."""
    return schedule.Params(**PARAMS | changes)
