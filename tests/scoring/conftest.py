"""Fixtures of the tests of scoring."""

from pathlib import Path

import pytest


@pytest.fixture
def make(challenge, architecture):
    """Make a model with random weights, other ones each time."""
    from tests import scorings

    from skinlesion.dataset import metadata
    from skinlesion.features import tabular
    from skinlesion.network import model, trained

    encoder = tabular.fit(metadata.read(challenge / "train-metadata.csv"), scorings.ENCODE)

    def make(*, prior_shift: float = 0.0, **changes) -> trained.Trained:
        plan = architecture(n_features=len(encoder.names), **changes)
        facts = scorings.FACTS.model_copy(update={"prior_shift": prior_shift})
        return trained.Trained(model.logits_of(model.build(plan)), encoder, plan, facts)

    return make


@pytest.fixture
def test_csv(challenge) -> Path:
    """The test metadata."""
    return challenge / "test-metadata.csv"


@pytest.fixture
def store(challenge):
    """The test tiles."""
    from skinlesion.dataset import stores

    return stores.open_store(challenge / "test-image.hdf5")
