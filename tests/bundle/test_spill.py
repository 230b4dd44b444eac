"""bundle.spill: rows come back part by part, to the bit."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skinlesion.bundle import spill

N = 500


def lesions(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    sex = rng.choice(["male", "female", None, "neither"], N)
    table = pd.DataFrame({"a": rng.normal(size=N), "b": np.full(N, np.pi), "sex": sex})
    table.loc[::7, "a"] = np.nan
    return table


@pytest.mark.parametrize("n_at_a_time", [1, 3, 64, 1000])
def test_every_row_comes_back_in_its_part_with_its_bits(tmp_path, n_at_a_time):
    table, part = lesions(), np.random.default_rng(1).integers(0, 9, N)
    found = []
    with spill.Spill(tmp_path, part, numeric=["a", "b"], text=["sex"]) as spilled:
        for i in range(0, N, n_at_a_time):
            spilled.write(table[i : i + n_at_a_time])
        for k, (rows, of_part) in enumerate(spilled.read()):
            assert rows.tolist() == np.flatnonzero(part == k).tolist()
            found.append(of_part.set_axis(rows))
    joined = pd.concat(found).sort_index()

    assert joined["a"].to_numpy().tobytes() == table["a"].to_numpy().tobytes()
    assert joined["sex"].where(joined["sex"].notna(), None).tolist() == table["sex"].tolist()
    assert list(tmp_path.iterdir()) == []


def test_without_columns_the_rows_are_still_there(tmp_path):
    with spill.Spill(tmp_path, np.array([0, 1, 0]), numeric=[], text=[]) as spilled:
        spilled.write(pd.DataFrame(index=range(3)))
        assert [(at.tolist(), len(of)) for at, of in spilled.read()] == [([0, 2], 2), ([1], 1)]


@given(
    codes=st.lists(st.one_of(st.none(), st.integers(0, 6)), min_size=1, max_size=40),
    n=st.integers(1, 12),
)
def test_parts_are_of_whole_patients_and_bounded_but_for_the_last_patient(codes, n):
    patients = pd.Series([None if c is None else f"P{c}" for c in codes], dtype=object)
    part, _ = spill.parts(patients, n)

    assert sorted(set(part)) == list(range(max(part) + 1))
    for _, of in pd.Series(part).groupby(patients):
        assert of.nunique() == 1
    largest = patients.value_counts().max() if patients.notna().any() else 1
    assert np.bincount(part).max() <= n - 1 + largest


def test_lesions_of_nobody_are_cut_as_they_stand():
    part, _ = spill.parts(pd.Series([None] * 7, dtype=object), 3)

    assert part.tolist() == [0, 0, 0, 1, 1, 1, 2]
