"""preparation.names: a name that no command line can hold is refused before one does."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from skinlesion.params import ParamsError
from skinlesion.preparation import names

ROOT = Path(__file__).parents[2]


@pytest.fixture
def named(tmp_path, monkeypatch):
    """Write params.yaml into the current folder, with names of data."""
    monkeypatch.chdir(tmp_path)
    yaml = YAML()
    given = yaml.load(ROOT / "params.yaml")

    def write(**data: str) -> None:
        given["data"] |= data
        yaml.dump(given, tmp_path / "params.yaml")

    return write


def test_the_names_of_the_project_can_be_held(named):
    named()
    names.main()


def test_a_name_that_cannot_is_an_error_with_its_key(named):
    named(raw='my "data"', test_images="a$b.h5")
    with pytest.raises(ParamsError) as caught:
        names.main()

    raw, images = str(caught.value).splitlines()
    assert raw.startswith('params.yaml: data.raw must be a name without " $ ` \\ and line ends')
    assert raw.endswith("""Got 'my "data"' instead.""")
    assert images.startswith("params.yaml: data.test_images must be a name without")
