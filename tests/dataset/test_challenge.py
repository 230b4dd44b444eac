"""dataset.challenge: the files of a challenge folder have one name each, everywhere."""

from dataclasses import fields

import pytest
from tests.test_pipeline import words

from skinlesion.dataset import challenge


@pytest.mark.parametrize("stage", ["check", "predict"])
def test_each_file_is_an_option_of_the_stages_that_read_the_folder(stage):
    options = {word for word in words(stage) if word.startswith("--")}

    assert {f"--{field.name.replace('_', '-')}" for field in fields(challenge.Files)} <= options
