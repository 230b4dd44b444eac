"""training.settings: the blocks of a training, under their names in params.yaml."""

from dataclasses import fields, replace

from tests import recipes
from tests.test_pipeline import BLOCKS, STAGES

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
