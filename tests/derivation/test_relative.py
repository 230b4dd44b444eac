"""derivation.relative: functions of a group's own lesions, to the bit, and never infinite."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skinlesion.derivation import relative

ALL = ["z", "rank", "position"]
PATIENT = relative.GROUPS["patient"]
NUMBERS = st.one_of(
    st.just(float("nan")),
    st.sampled_from([0.0, 0.1, 1.0, 1e20, -1e30]),
    st.floats(-1e30, 1e30),
)


def drawn(n: int = 300, n_patients: int = 9, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "isic_id": [f"ISIC_{i:07d}" for i in rng.permutation(n)],
            "patient_id": [f"IP_{i}" for i in rng.integers(0, n_patients, n)],
            "anatom_site_general": rng.choice(["leg", "arm", None], n),
            "x": np.where(rng.random(n) < 0.1, np.nan, rng.gamma(2, 0.1, n).round(2)),
        }
    )


def of(lesions: pd.DataFrame, columns=PATIENT, min_lesions: int = 3, wanted=ALL) -> pd.DataFrame:
    groups = relative.group(lesions, columns, min_lesions=min_lesions)
    found = relative.statistics(lesions["x"].to_numpy(np.float64), groups, list(wanted))
    return pd.DataFrame(found, index=lesions["isic_id"])


def numbers(*values: float) -> pd.DataFrame:
    ids = [f"ISIC_{i}" for i in range(len(values))]
    return of(pd.DataFrame({"isic_id": ids, "patient_id": "IP_0", "x": values}))


@pytest.mark.parametrize("columns", relative.GROUPS.values())
@pytest.mark.parametrize("seed", range(3))
def test_a_patient_alone_gets_the_bits_it_gets_among_others(columns, seed):
    lesions = drawn(seed=seed).assign(tbp_lv_location="Left Leg")
    whole = of(lesions, columns)
    for _, own in lesions.groupby("patient_id"):
        pd.testing.assert_frame_equal(of(own, columns), whole.loc[own["isic_id"]], check_exact=True)


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_rows_changes_no_bit(seed):
    lesions = drawn(seed=seed)
    turned = lesions.sample(frac=1, random_state=seed)
    pd.testing.assert_frame_equal(of(turned), of(lesions).loc[turned["isic_id"]], check_exact=True)


def test_z_has_mean_0_and_variance_1_in_each_patient():
    lesions = drawn()
    z = of(lesions)["z"].groupby(lesions["patient_id"].to_numpy())
    np.testing.assert_allclose(z.mean(), 0, atol=1e-6)
    np.testing.assert_allclose(z.std(), 1, rtol=1e-3)  # 1e-5 is added to it


def test_z_at_a_site_is_that_of_the_lesions_there_alone():
    lesions = drawn()
    there = lesions[lesions["anatom_site_general"] == "leg"]
    at_site = of(lesions, relative.GROUPS["patient_site"]).loc[there["isic_id"]]
    pd.testing.assert_frame_equal(at_site, of(there), check_exact=True)


def test_a_lesion_of_unknown_site_is_relative_to_none_at_it():
    lesions = drawn()
    unknown = lesions.loc[lesions["anatom_site_general"].isna(), "isic_id"]
    assert of(lesions, relative.GROUPS["patient_site"]).loc[unknown].isna().all().all()


def test_a_site_is_the_same_however_it_is_written():
    lesions = drawn()
    other = lesions["anatom_site_general"].str.upper().where(lesions.index % 2 == 0)
    spelled = other.fillna(lesions["anatom_site_general"])
    columns = relative.GROUPS["patient_site"]
    found = of(lesions.assign(anatom_site_general=spelled), columns)
    pd.testing.assert_frame_equal(found, of(lesions, columns), check_exact=True)


def test_ranks_are_those_of_pandas_and_do_not_change_with_what_keeps_the_order():
    lesions = drawn()
    ranks = of(lesions)["rank"]
    groups = lesions.set_index("isic_id").groupby("patient_id")["x"]
    expected = (groups.rank() - 0.5) / groups.transform("count")
    np.testing.assert_allclose(ranks, expected, rtol=1e-6)
    cubed = of(lesions.assign(x=lesions["x"] ** 3))["rank"]
    pd.testing.assert_series_equal(cubed, ranks)


def test_the_smallest_is_at_0_and_the_largest_at_1():
    assert numbers(3.0, 5.0, 4.0, np.nan)["position"].tolist()[:3] == [0, 1, 0.5]


@pytest.mark.parametrize("value", [0.0, 0.1, 1e20, -3.3])
@pytest.mark.parametrize("n", [3, 10])
def test_equal_numbers_are_all_in_the_middle(value, n):
    found = numbers(*[value] * n)
    assert found["z"].eq(0).all()
    assert found["rank"].eq(0.5).all()
    assert found["position"].eq(0.5).all()


@pytest.mark.parametrize("n", [1, 2])
def test_one_or_two_lesions_have_no_relative_numbers(n):
    assert numbers(*range(n)).isna().all().all()
    assert numbers(*range(3)).notna().all().all()


def test_the_only_known_number_of_a_patient_is_relative_to_nothing():
    assert numbers(1.0, np.nan, np.nan).isna().all().all()


@pytest.mark.parametrize("column", PATIENT)
def test_a_table_without_patients_has_no_relative_numbers(column):
    lesions = drawn()
    assert of(lesions.drop(columns=column)).isna().all().all()
    assert of(lesions.assign(**{column: None})).isna().all().all()
    assert of(lesions[:0]).empty


@settings(max_examples=60, deadline=None)
@given(values=st.lists(NUMBERS, min_size=1, max_size=12), split=st.integers(0, 12))
def test_nothing_is_infinite_and_what_is_known_has_a_place(values, split):
    ids = [f"ISIC_{i:02d}" for i in range(len(values))]
    patients = ["IP_0" if i < split else "IP_1" for i in range(len(values))]
    lesions = pd.DataFrame({"isic_id": ids, "patient_id": patients, "x": values})
    found = of(lesions)
    assert not np.isinf(found).any().any()
    known = lesions.set_index("isic_id")["x"].notna()
    n = known.groupby(patients).transform("sum")
    large = known.groupby(patients).transform("size") >= 3
    for name in ALL:
        assert found[name].notna().equals(known & large & (n > 1))
    assert found["rank"].dropna().between(0, 1).all()
    assert found["position"].dropna().between(0, 1).all()


def test_how_far_a_lesion_lies_from_the_others_is_counted_over_its_numbers():
    outlying = relative.Outlying.none(2)
    for z in ([3.0, 0.0], [-4.0, 0.0], [1.0, np.nan]):
        outlying.add(np.array(z, np.float32))
    found = outlying.numbers()
    assert found["n_outlying"].tolist() == [2, 0]
    assert found["largest_z"].tolist() == [4, 0]
    assert found["sd_of_z"] == pytest.approx([np.std([3, -4, 1], ddof=1), 0])
