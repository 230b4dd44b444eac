"""training.settings: the blocks of a training, under their names in params.yaml."""

from dataclasses import fields, replace

import pytest
from tests import recipes
from tests.test_pipeline import BLOCKS, STAGES

from skinlesion.errors import InputError
from skinlesion.network import backend
from skinlesion.training import settings


def test_the_blocks_are_those_that_the_stage_depends_on():
    found = {field.name: field.type for field in fields(settings.Settings)}

    assert list(found) == STAGES["train"]["params"]
    assert found == {name: BLOCKS[name] for name in found}


def test_a_seed_is_added_to_both_seeds_and_stands_alone():
    made = settings.Settings(
        keras=backend.Params(backend="jax", precision="float32", seed=3),
        model="m",
        augment="a",
        train=recipes.params(n_seeds=5, seed=40),
    )
    found = made.of_seed(2)

    assert (found.keras.seed, found.train.seed, found.train.n_seeds) == (5, 42, 1)
    assert made.of_seed(0) == replace(made, train=recipes.params(n_seeds=1, seed=40))


def test_blocks_by_name_are_all_of_them_and_the_recipe_is_two():
    made = settings.Settings(keras="k", model="m", augment="a", train="t")

    assert made.blocks() == {"keras": "k", "model": "m", "augment": "a", "train": "t"}
    assert (made.recipe.train, made.recipe.augment) == ("t", "a")


def agreement(architecture, changes: dict, **train) -> None:
    p = recipes.params(**train)
    settings.Settings("k", architecture(**changes).model, "a", p).require_agreement()


def test_a_linear_head_needs_a_network_without_further_layers(architecture):
    agreement(architecture, {"tabular_units": []}, fitted="head")
    agreement(architecture, {"tabular_units": [8], "head_units": [4]}, fitted="network")
    for changes in ({"tabular_units": [8]}, {"tabular_units": [], "head_units": [4]}):
        with pytest.raises(InputError, match=r"must have tabular_units: \[\] and head_units: \[\]"):
            agreement(architecture, changes, fitted="head")


def test_auxiliary_targets_need_an_image_branch(architecture):
    weights = {"diagnosis": 0, "biopsied": 0.5, "measurements": 0}
    agreement(architecture, {"backbone": "tiny"}, auxiliary=weights)
    with pytest.raises(InputError, match=r"backbone is none\. Got \{'biopsied': 0\.5\} instead"):
        agreement(architecture, {"backbone": "none"}, auxiliary=weights)
