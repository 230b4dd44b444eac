"""reporting.formats: a file that is not of its format is refused, with all that is wrong."""

from typing import Annotated

import pytest
from pydantic import Field

from skinlesion.errors import InputError
from skinlesion.reporting.formats import Format, Intervals, having, load


class Some(Format):
    n: int
    share: float
    areas: Annotated[Intervals, having("auc")] = Field(default_factory=dict)


@pytest.fixture
def read(tmp_path):
    def written(text: str) -> Some:
        (tmp_path / "some.json").write_text(text)
        return load(tmp_path / "some.json", Some)

    return written


def test_all_findings_come_at_once(read):
    with pytest.raises(InputError) as error:
        read('{"n": 1.5, "areas": {"pauc": {"value": 1, "low": null, "high": null}}}')
    assert [line.split(": ")[1] for line in str(error.value).splitlines()] == [
        *("n", "share", "areas")
    ]
    assert "the keys ['auc'] are missing" in str(error.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "nothing of the kind", '{"n": NaN}'])
def test_what_is_no_json_object_is_an_error(read, text):
    with pytest.raises(InputError, match=r"some\.json"):
        read(text)


def test_an_absent_file_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"some\.json must be a JSON file"):
        load(tmp_path / "some.json", Some)
