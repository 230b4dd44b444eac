"""training.phases: what learns in each; the tests of training.fitting try whole trainings."""

import pytest
from tests.networks import backbone_of
from tests.recipes import params
from tests.training.test_fitting import normalisations

from skinlesion.training import phases

pytestmark = pytest.mark.usefixtures("keras_started")


@pytest.mark.parametrize("batch_norm", ["trained", "frozen"])
def test_what_is_not_frozen_is_trained(architecture, batch_norm):
    backbone, p = backbone_of(architecture().model, rescale=True), params(batch_norm=batch_norm)
    n_of_all, n_of_norms = len(backbone.trainable_variables), 2 * len(normalisations(backbone))
    phases.set_trainable(backbone, p, is_frozen=True)
    n_frozen = len(backbone.trainable_variables)
    phases.set_trainable(backbone, p, is_frozen=False)

    assert n_frozen == 0
    assert n_of_all - len(backbone.trainable_variables) == n_of_norms * (batch_norm == "frozen")
