"""shift.profile: what training lesions were like, in a file without any lesion's row."""

import json

import numpy as np
import pandas as pd
import pytest
from tests import shifts

from skinlesion.errors import InputError
from skinlesion.shift import image, profile


@pytest.fixture(scope="module")
def lesions():
    return shifts.drawn(120, 0)


def test_what_is_written_is_read_and_equal_profiles_have_equal_bytes(lesions, tmp_path):
    x = np.random.default_rng(0).normal(size=(len(lesions), 4))
    patients = profile.numbered(lesions["patient_id"])
    one = shifts.profiled(lesions).model_copy(update={"image": image.fit(x, patients, fold=0)})
    shuffled = lesions.sample(frac=1, random_state=1)
    other = shifts.profiled(shuffled)
    for name, found in (("one", one), ("other", other)):
        profile.save(tmp_path / name, found)

    assert profile.load(tmp_path / "one") == one
    assert other.columns == one.columns


def test_the_file_holds_no_isic_id_no_patient_and_no_extreme_value(lesions, tmp_path):
    profile.save(tmp_path / "p.json", shifts.profiled(lesions))
    text = (tmp_path / "p.json").read_text()

    assert "ISIC_" not in text
    assert "IP_" not in text
    written = [float(x) for x in json.loads(text)["columns"]["size_mm"]["edges"]]
    assert not {lesions["size_mm"].min(), lesions["size_mm"].max()} & set(written)


def test_patients_are_numbered_by_name_and_an_unknown_one_is_of_its_own():
    found = profile.numbered(pd.Series(["b", None, "a", "b", None]))

    assert found.tolist() == [1, 2, 0, 1, 3]


@pytest.mark.parametrize("text", [None, "", "{}", '{"sizes": 1, "columns": {}, "image": null}'])
def test_what_is_no_profile_is_refused_by_name(tmp_path, text):
    path = tmp_path / "shift.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=r"shift\.json must be a profile of training lesions"):
        profile.load(path)
