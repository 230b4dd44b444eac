"""synthetic.clinics: clinics that differ as much as params say, and in nothing else."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from skinlesion.synthetic import clinics, lesion_table, population, rendering

N_LESIONS = 20_000
ALIKE = {"lighting": 0.0, "prevalence": 0.0, "camera": 0.0}


def patients() -> pd.DataFrame:
    return population.patients(2000, rng=np.random.default_rng(3))


def drawn(**strengths: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(5)
    of_clinics = clinics.applied(patients(), clinics.Params(**ALIKE | strengths))
    ids = population.identifiers("ISIC", N_LESIONS, rng=rng)[1]
    return lesion_table.lesions(of_clinics, ids, n_malignant=1500, rng=rng)


@pytest.fixture(scope="module")
def alike():
    return drawn()


def spread(table: pd.DataFrame, column: str) -> float:
    """The standard deviation of the clinics' means."""
    return table.groupby("attribution")[column].mean().std()


def changed(table: pd.DataFrame, other: pd.DataFrame) -> set[str]:
    return {column for column in table if not table[column].equals(other[column])}


def test_clinics_without_a_difference_leave_the_patients_as_they_were_drawn():
    given = patients()
    found = clinics.applied(given, clinics.NONE)

    pd.testing.assert_frame_equal(found[given.columns], given)
    added = found.drop(columns=given.columns).drop_duplicates()
    assert added.to_dict("records") == [
        {
            "clinic_log_odds": 0.0,
            "clinic_contrast": 1.0,
            "clinic_scale": 1.0,
            "clinic_softness": 0.0,
        }
    ]


def test_the_light_of_a_clinic_moves_skin_and_lesion_alike(alike):
    table, looks = drawn(lighting=1.0)

    for column in ("tbp_lv_L", "tbp_lv_Lext", "tbp_lv_B", "tbp_lv_Bext"):
        assert spread(table, column) > spread(alike[0], column) + 1
    moved = table["tbp_lv_Lext"] - alike[0]["tbp_lv_Lext"]
    assert np.median(np.abs(moved - (table["tbp_lv_L"] - alike[0]["tbp_lv_L"]))) < 0.01
    assert looks["skin_l"].equals(table["tbp_lv_Lext"])
    assert not {"target", "clin_size_long_diam_mm", "tbp_lv_deltaL"} & changed(table, alike[0])


def test_cancers_are_commoner_in_some_clinics_and_nothing_else_says_which(alike):
    table, _ = drawn(prevalence=1.0)

    assert table["target"].sum() == alike[0]["target"].sum()
    assert spread(table, "target") > 1.5 * spread(alike[0], "target")
    share = table.groupby("attribution")["target"].mean()
    names = [name for *_, name in population.CLINICS]
    assert np.corrcoef(share[names], clinics.PREVALENCE)[0, 1] > 0.8
    assert not {"tbp_lv_Lext", "attribution", "patient_id", "sex"} & changed(table, alike[0])


def test_the_camera_of_a_clinic_changes_contrast_sizes_and_sharpness(alike):
    table, looks = drawn(camera=1.0)
    names = [name for *_, name in population.CLINICS]

    longer = table["clin_size_long_diam_mm"] / alike[0]["clin_size_long_diam_mm"]
    scale = longer.groupby(table["attribution"]).median()[names]
    expected = np.exp(clinics.SIZE_STEP * np.array(clinics.CAMERA))
    assert scale.to_numpy() == pytest.approx(expected, abs=0.01)
    contrast = (table["tbp_lv_deltaA"] / alike[0]["tbp_lv_deltaA"]).groupby(table["attribution"])
    expected = np.exp(clinics.CONTRAST_STEP * np.array(clinics.CAMERA))
    assert contrast.median()[names].to_numpy() == pytest.approx(expected, rel=0.01)
    assert looks["softness"].groupby(table["attribution"]).nunique().eq(1).all()
    assert looks["softness"].nunique() == len(names)
    assert not {"target", "tbp_lv_Bext"} & changed(table, alike[0])


def test_a_soft_camera_blurs_the_tile(alike):
    look = rendering.Look(*alike[1].iloc[0])
    edges = []
    for softness in (0.0, 0.03):
        tile = Image.open(io.BytesIO(rendering.jpeg(look._replace(softness=softness), seed=0)))
        edges.append(np.abs(np.diff(np.asarray(tile, dtype=float), axis=0)).mean())

    assert edges[1] < 0.8 * edges[0]


def test_lightness_stays_in_the_range_of_a_camera():
    found = clinics.applied(patients(), clinics.Params(lighting=3.0, prevalence=0.0, camera=0.0))

    assert found["skin_l"].between(8, 92).all()
