"""explanation.cutting: the two parts of a model, one after the other, are the model."""

import numpy as np
import pytest
from tests import scorings

from skinlesion.explanation import cutting
from skinlesion.network import model, trained

pytestmark = pytest.mark.usefixtures("keras_started")
N = 20


@pytest.fixture
def inputs() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (N, 32, 32, 3), np.uint8)
    return {"image": image, "tabular": rng.normal(size=(N, 2)).astype(np.float32)}


@pytest.mark.parametrize("changes", [{}, {"backbone": "none"}, {"n_features": 0}])
def test_the_parts_of_a_model_give_its_logits_in_any_steps(
    architecture, inputs, monkeypatch, changes
):
    plan = architecture(**changes)
    whole = model.logits_of(model.build(plan))
    facts = scorings.FACTS.model_copy(update={"prior_shift": 0.5})
    cut = cutting.cut(trained.Trained(whole, None, plan, facts))
    pooled = cut.pooled(inputs["image"])
    encoded = inputs["tabular"][:, : plan.n_features]
    found = cut.logits(pooled, encoded)
    monkeypatch.setattr(cutting, "N_ROWS", 7)

    expected = whole.predict_on_batch({name: inputs[name] for name in whole.input})[:, 0] - 0.5
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(cut.logits(pooled, encoded), found, rtol=1e-6)
    assert (cut.image_branch is None) == (pooled.shape[1] == 0)
