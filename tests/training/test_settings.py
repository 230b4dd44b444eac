"""training.settings: the blocks of a training, under their names in params.yaml."""

from dataclasses import fields

from tests.test_pipeline import BLOCKS, STAGES

from skinlesion.training import settings


def test_the_blocks_are_those_that_the_stage_depends_on():
    found = {field.name: field.type for field in fields(settings.Settings)}

    assert list(found) == STAGES["train"]["params"]
    assert found == {name: BLOCKS[name] for name in found}


def test_blocks_by_name_are_all_of_them_and_the_recipe_is_two():
    made = settings.Settings(keras="k", model="m", augment="a", train="t")

    assert made.blocks() == {"keras": "k", "model": "m", "augment": "a", "train": "t"}
    assert (made.recipe.train, made.recipe.augment) == ("t", "a")
