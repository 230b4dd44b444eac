"""shift.comparison: other lesions raise an alarm, and lesions of the same kind do not."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from tests import shifts

from skinlesion.shift import bins, comparison, image, profile, tally


@pytest.fixture(scope="module")
def known():
    return shifts.profiled(shifts.drawn(250, 0))


def compared(known, lesions: pd.DataFrame) -> dict:
    counted = tally.Tally(known.columns)
    counted.add(lesions)
    return comparison.compare(known, counted)


@pytest.mark.parametrize("n_patients", [1, 2, 3, 5, 10, 40])
def test_at_most_2_of_40_sets_of_the_same_kind_raise_an_alarm(known, n_patients):
    alarms = [compared(known, shifts.drawn(n_patients, seed))["alarms"] for seed in range(1, 41)]

    assert sum(map(bool, alarms)) <= 2


def test_at_most_5_of_100_resamples_of_a_holdout_raise_an_alarm(known):
    holdout, rng = shifts.drawn(120, 700), np.random.default_rng(0)
    of_patient = list(holdout.groupby("patient_id").indices.values())
    n_alarms = 0
    for _ in range(100):
        picked = [of_patient[p] for p in rng.integers(120, size=120)]
        patients = np.repeat(np.arange(120), [len(rows) for rows in picked])
        drawn = holdout.iloc[np.concatenate(picked)].assign(patient_id=patients)
        n_alarms += bool(compared(known, drawn)["alarms"])

    assert n_alarms <= 5


@pytest.mark.parametrize("n_patients", [5, 40, 150])
def test_a_table_in_other_units_raises_an_alarm(known, n_patients):
    lesions = shifts.drawn(n_patients, 3)
    found = compared(known, lesions.assign(size_mm=lesions["size_mm"] / 10))

    assert found["alarms"] == ["size_mm"]
    assert found["columns"][0]["name"] == "size_mm"
    assert found["columns"][0]["psi"] > 1


@pytest.mark.parametrize("n_patients", [60, 150])
def test_other_lighting_another_sex_ratio_and_gaps_raise_an_alarm(known, n_patients):
    lesions = shifts.drawn(n_patients, 4)
    changes = {
        "lightness": lesions["lightness"] + 20,
        "sex": "male",
        "age": lesions["age"].where(np.arange(len(lesions)) % 2 > 0),
    }
    for name, values in changes.items():
        assert compared(known, lesions.assign(**{name: values}))["alarms"] == [name]


def test_the_index_is_that_of_the_shares_with_half_a_lesion_more_in_each_bin(known):
    lesions = shifts.drawn(40, 5)
    [record] = [r for r in compared(known, lesions)["columns"] if r["name"] == "site"]
    training = shifts.drawn(250, 0)["site"].value_counts()
    here = lesions["site"].value_counts()
    names = ["arm", "head", "leg", "torso"]
    counts = [np.array([*(c[n] for n in names), 0, 0]) + 0.5 for c in (here, training)]
    p, q = (c / c.sum() for c in counts)

    assert record["psi"] == pytest.approx(((p - q) * np.log(p / q)).sum(), rel=1e-3)
    assert 0 < record["by_chance"] < 0.1
    assert (record["missing"], record["missing_in_training"]) == (0, 0)


def test_new_and_vanished_categories_are_named(known):
    lesions = shifts.drawn(60, 6)
    changed = lesions.assign(site=lesions["site"].replace({"head": "Palm", "leg": "Sole"}))
    [record] = [r for r in compared(known, changed)["columns"] if r["name"] == "site"]

    assert record["new"] == {"sole": (lesions["site"] == "leg").sum()} | {
        "palm": (lesions["site"] == "head").sum()
    }
    assert record["vanished"] == ["head", "leg"]
    [same] = [r for r in compared(known, shifts.drawn(1, 6))["columns"] if r["name"] == "site"]
    assert same["vanished"] == []


def test_the_warning_names_the_three_largest(known):
    lesions = shifts.drawn(80, 7)
    other = lesions.assign(size_mm=0.1, lightness=5.0, age=99, sex="male", site="fin")
    found = compared(known, other)
    said = comparison.warning("test", found)

    assert said.startswith("warning: test: unlike the training lesions in ")
    assert said.count("PSI") == 3
    assert "and 2 more" in said
    assert all(name in said for name in found["alarms"][:3])
    assert comparison.warning("test", compared(known, lesions)) == ""


def test_tiles_unlike_those_of_training_raise_an_alarm_and_others_none():
    rng = np.random.default_rng(8)
    patients = np.repeat(np.arange(80), 9)
    own = rng.normal(size=(80, 6)) * 0.5
    of = image.fit(rng.normal(size=(720, 6)) + own[patients], patients, fold=0)
    known = profile.Profile(sizes=of.sizes, columns={}, image=of)

    def alarms(moved: float, wider: float = 1.0, seed: int = 9) -> list[str]:
        rng = np.random.default_rng(seed)
        owner = np.repeat(np.arange(30), 9)
        x = rng.normal(size=(270, 6)) * wider + (rng.normal(size=(30, 6)) * 0.5)[owner]
        images, counted = tally.Images.none(of), tally.Tally({})
        images.add(x + moved)
        counted.add(pd.DataFrame({"patient_id": owner.astype(str)}))
        return comparison.compare(known, counted, images)["alarms"]

    assert sum(bool(alarms(0, seed=seed)) for seed in range(100, 200)) <= 5
    assert comparison.IMAGE_MEAN in alarms(1.0)
    assert comparison.IMAGE in alarms(0, wider=2.0)


def test_a_normal_distributions_index_is_the_squared_distance_of_the_means():
    """Which is why both are read by the same limits."""
    edges = np.linspace(-6, 7, 4000)
    p, q = (np.diff(norm.cdf(edges, mean)) + 1e-12 for mean in (0.6, 0.0))

    assert bins.psi(p / p.sum(), q / q.sum()) == pytest.approx(0.36, rel=1e-2)
