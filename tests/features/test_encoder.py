"""features.encoder: a fitted encoder is kept as JSON, and comes back the same or not at all."""

import json

import numpy as np
import pytest
from tests.encodings import ENCODINGS, drawn, params

from skinlesion.errors import InputError
from skinlesion.features import tabular


@pytest.fixture(scope="module")
def lesions():
    return drawn(0)


@ENCODINGS
def test_an_encoder_that_was_saved_encodes_alike(lesions, changes, tmp_path):
    encoder = tabular.fit(lesions, params(**changes))
    tabular.save(encoder, tmp_path / "encoder.json")
    loaded = tabular.load(tmp_path / "encoder.json")
    assert loaded == encoder
    other = drawn(1)
    np.testing.assert_array_equal(
        tabular.transform(other, loaded), tabular.transform(other, encoder)
    )


def test_the_same_encoder_is_saved_as_the_same_bytes(lesions, tmp_path):
    for name in ("a", "b"):
        tabular.save(tabular.fit(lesions, params()), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_saved_encoder_is_json_that_a_person_can_read(lesions, tmp_path):
    encoder = tabular.fit(lesions, params())
    tabular.save(encoder, tmp_path / "encoder.json")
    read = json.loads((tmp_path / "encoder.json").read_text())
    assert list(read["numeric"]) == ["age_approx", "tbp_lv_A"]
    assert read["numeric"]["age_approx"]["median"] == lesions["age_approx"].median()
    assert read["categorical"]["sex"]["values"] == ["female", "male"]
    assert read["categorical"]["sex"]["lacking"]["missing"] == lesions["sex"].isna().mean()


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "[]",
        "3",
        "{}",
        '{"numeric": [], "categorical": {}, "constant": []}',
        '{"numeric": {"x": {"center": 0}}, "categorical": {}, "constant": []}',
        '{"numeric": {}, "categorical": {"x": []}, "constant": []}',
        "\x80\x04K\x01.",
    ],
)
def test_what_is_no_encoder_is_named(tmp_path, text):
    path = tmp_path / "encoder.json"
    if text is not None:
        path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=rf"{path} must be an encoder\."):
        tabular.load(path)
