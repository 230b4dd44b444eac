"""derivation.plan: what the params ask for and both tables can give."""

import pandas as pd
import pytest

from skinlesion.derivation import derived, plan
from skinlesion.errors import InputError

ASKED = {
    "base": "all",
    "derived": "all",
    "tile": [],
    "categorical": "all",
    "relative": {"patient": ["z", "count"], "patient_site": [], "patient_location": []},
    "min_lesions": 3,
}
FULL = pd.DataFrame(
    {name: ["1"] for name in ("isic_id", "patient_id", *plan.CATEGORICAL, *derived.BASE)}
)
FEW = FULL[["isic_id", "patient_id", "age_approx", "sex", "anatom_site_general"]]


def params(**changes) -> plan.Params:
    return plan.Params(**ASKED | changes)


def test_a_table_with_every_column_gives_every_number():
    found = plan.make(params(tile=["colour", "shape"]), FULL, FULL)
    assert (len(found.base), len(found.derived), len(found.tile)) == (34, 42, 21 + 9)
    assert len(found.relative) == 34 + 42 + 30 + 1
    assert found.left_out == []
    assert "\n" not in plan.summary(found)


@pytest.mark.parametrize(("train", "test"), [(FEW, FULL), (FULL, FEW), (FEW, FEW)])
def test_what_one_of_the_tables_lacks_is_left_out_and_named_once(train, test):
    found = plan.make(params(), train, test)
    assert found.base == ["age_approx"]
    assert found.derived == []
    assert found.categorical == ["sex", "anatom_site_general"]
    _, left_out = plan.summary(found).splitlines()
    names = left_out.split(": ")[1].split(", ")
    assert len(names) == len(set(names)) == 33 + 42 + 1
    assert not set(names) & {"age_approx", "sex"}


def test_a_column_without_any_value_counts_as_absent():
    found = plan.make(params(), FULL.assign(tbp_lv_A=None), FULL)
    assert found.left_out == ["tbp_lv_A", "absolute_contrast"]


def test_a_test_table_may_have_no_value_and_no_patients():
    found = plan.make(params(), FULL, FULL.drop(columns="patient_id").assign(age_approx=None))
    assert "age_approx" in found.base
    assert "n_lesions|patient" in found.relative


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"base": ["tbp_lv_H"]}, r"'tbp_lv_H' must be computable .* no values of tbp_lv_H"),
        ({"derived": ["log_area"]}, r"'log_area' must be computable .* tbp_lv_areaMM2"),
        ({"derived": ["log_aera"]}, r"'log_aera' is no such number\. Did you mean 'log_area'"),
        ({"categorical": ["sexx"]}, r"'sexx' must be in both tables\. Did you mean 'sex'"),
        ({"categorical": ["lesion_id"]}, r"'lesion_id' must be known of a test lesion"),
        ({"categorical": ["patient_id"]}, r"'patient_id' must be known of a test lesion"),
    ],
)
def test_what_the_params_name_and_the_tables_cannot_give_is_refused(changes, said):
    with pytest.raises(InputError, match=said):
        plan.make(params(**changes), FEW.assign(lesion_id="IL_1"), FEW)


def test_without_tiles_their_numbers_are_left_out():
    found = plan.make(params(tile=["colour"]), FULL, FULL, has_tiles=False)
    assert found.tile == []
    assert found.left_out == ["colour of the tile"]


def test_numbers_can_be_chosen_one_by_one():
    found = plan.make(params(base=["tbp_lv_H"], derived=["log_area"]), FULL, FULL)
    assert found.numbers == ["tbp_lv_H", "log_area"]
    assert found.relative == ["tbp_lv_H|z|patient", "log_area|z|patient", "n_lesions|patient"]


def test_the_total_area_needs_the_area_in_both_tables():
    relative = ASKED["relative"] | {"patient": ["area", "count"]}
    found = plan.make(params(relative=relative), FULL, FULL.drop(columns="tbp_lv_areaMM2"))

    assert found.relative == ["n_lesions|patient"]
    assert "total_area|patient" in plan.make(params(relative=relative), FULL, FULL).relative
