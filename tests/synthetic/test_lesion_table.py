"""synthetic.lesion_table: a table that agrees with itself, and with SLICE-3D."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from skinlesion.dataset import metadata
from skinlesion.synthetic import clinics, lesion_table, population, rendering

N_LESIONS, N_MALIGNANT = 8000, 2000


@pytest.fixture(scope="module")
def drawn():
    rng = np.random.default_rng(5)
    patients = clinics.applied(population.patients(400, rng=rng), clinics.NONE)
    isic_ids = population.identifiers("ISIC", N_LESIONS, rng=rng)[1]
    return lesion_table.lesions(patients, isic_ids, n_malignant=N_MALIGNANT, rng=rng)


@pytest.fixture(scope="module")
def lesions(drawn):
    return drawn[0]


@pytest.fixture(scope="module")
def looks(drawn):
    return drawn[1]


@pytest.mark.parametrize(
    ("column", "rate", "within"),
    [
        ("sex", 0.0287, 0.004),
        ("anatom_site_general", 0.0144, 0.006),
        ("age_approx", 0.0070, 0.003),
        ("clin_size_long_diam_mm", 0, 0),
        ("tbp_lv_location", 0, 0),
        ("iddx_full", 0, 0),
        ("iddx_1", 0, 0),
        ("iddx_5", 1, 0),
    ],
)
def test_values_are_missing_as_often_as_in_slice_3d(lesions, column, rate, within):
    assert lesions[column].isna().mean() == pytest.approx(rate, abs=within)


def test_a_benign_lesion_mostly_has_no_diagnosis_beyond_benign(lesions):
    benign = lesions[lesions["target"] == 0]
    assert benign["iddx_2"].isna().mean() > 0.99
    assert benign["lesion_id"].isna().mean() > 0.9
    assert not benign["iddx_full"].str.startswith("Malignant").any()


def test_a_malignant_lesion_has_a_malignant_diagnosis_and_a_lesion_id(lesions):
    ill = lesions[lesions["target"] == 1]
    assert ill["iddx_1"].eq("Malignant").all()
    assert ill["lesion_id"].notna().all()
    levels = ill[[f"iddx_{k}" for k in range(1, 6)]]
    joined = levels.apply(lambda row: "::".join(row.dropna()), axis=1)
    assert joined.tolist() == ill["iddx_full"].tolist()


def test_only_invasive_melanoma_has_a_thickness(lesions):
    has = lesions["mel_thick_mm"].notna()
    assert has.equals(lesions["iddx_full"].str.contains("Melanoma Invasive"))
    assert lesions.loc[~has, "mel_mitotic_index"].isna().all()


def test_the_measures_of_a_lesion_agree_with_each_other(lesions):
    tbp = lesions.filter(regex="^tbp_lv_").rename(columns=lambda name: name[7:])
    same = {
        "area_perim_ratio": tbp["perimeterMM"] ** 2 / tbp["areaMM2"],
        "C": np.hypot(tbp["A"], tbp["B"]),
        "Hext": np.degrees(np.arctan2(tbp["Bext"], tbp["Aext"])),
        "deltaL": tbp["L"] - tbp["Lext"],
        "deltaA": tbp["A"] - tbp["Aext"],
    }
    for name, value in same.items():
        np.testing.assert_allclose(tbp[name], value, rtol=1e-4, atol=1e-4, err_msg=name)
    assert (tbp["minorAxisMM"] <= lesions["clin_size_long_diam_mm"] * 1.001).all()
    assert (tbp["area_perim_ratio"] > 4 * np.pi).all()


def test_the_three_names_of_a_place_agree(lesions):
    names = lesions[["tbp_lv_location", "tbp_lv_location_simple", "anatom_site_general"]]
    simple = names["tbp_lv_location_simple"]
    assert set(simple) == {
        "Torso Back",
        "Torso Front",
        "Left Leg",
        "Right Leg",
        "Left Arm",
        "Right Arm",
        "Head & Neck",
        "Unknown",
    }
    pairs = zip(names["tbp_lv_location"], simple, strict=True)
    assert all(full.startswith(short) for full, short in pairs)
    assert names.groupby("tbp_lv_location_simple")["anatom_site_general"].nunique().le(1).all()
    assert simple.eq("Unknown").equals(names["anatom_site_general"].isna())


def test_numbers_are_finite_and_in_range(lesions):
    numbers = lesions[[*metadata.NUMERIC]].drop(columns=["age_approx", "mel_thick_mm"])
    assert np.isfinite(numbers.to_numpy()).all()
    for name in ("tbp_lv_norm_border", "tbp_lv_norm_color"):
        assert lesions[name].between(0, 10).all()
    for name in ("tbp_lv_nevi_confidence", "tbp_lv_dnn_lesion_confidence"):
        assert lesions[name].between(0, 100).all()


def test_the_signs_of_the_tile_tell_more_than_any_column(lesions, looks):
    signs = looks[["asymmetry", "raggedness", "variegation"]].mean(axis=1)
    # The mean of three signs that share one atypia and have noise of 0.45 each.
    distance = lesion_table.ATYPIA_OF_MALIGNANT / np.sqrt(1 + 0.45**2 / 3)
    assert roc_auc_score(lesions["target"], signs) == pytest.approx(
        norm.cdf(distance / np.sqrt(2)), abs=0.03
    )
    weak = ["tbp_lv_norm_border", "tbp_lv_symm_2axis", "tbp_lv_nevi_confidence"]
    for column in weak:
        assert 0.4 <= roc_auc_score(lesions["target"], lesions[column]) <= 0.64


def test_table_and_tile_tell_different_things(lesions, looks):
    """Within patients: between them, chance alone correlates the few hundred means."""
    size, sign = np.log(lesions["clin_size_long_diam_mm"]), looks["variegation"]
    groups = lesions[["patient_id", "target"]].apply(tuple, axis=1)
    size, sign = (values - values.groupby(groups).transform("mean") for values in (size, sign))
    for _, rows in lesions.groupby("target"):
        assert abs(size[rows.index].corr(sign[rows.index])) < 0.06


@pytest.mark.parametrize(
    ("column", "low", "high"),
    [
        ("clin_size_long_diam_mm", 0.3, 0.55),
        ("tbp_lv_deltaA", 0.25, 0.5),
        ("tbp_lv_symm_2axis_angle", -0.15, 0.15),
    ],
)
def test_the_lesions_of_a_patient_resemble_each_other(lesions, column, low, high):
    """The correlation of two lesions is the share of the variance between patients."""
    benign = lesions[lesions["target"] == 0].groupby("patient_id").head(2)
    pairs = benign.groupby("patient_id")[column].agg(["first", "last", "size"])
    first, second, _ = pairs[pairs["size"] == 2].to_numpy().T

    assert low < np.corrcoef(first, second)[0, 1] < high


def test_a_malignant_lesion_stands_out_among_its_patients_more_than_among_all(lesions):
    size = np.log(lesions["clin_size_long_diam_mm"])
    benign = size.where(lesions["target"] == 0).groupby(lesions["patient_id"])
    relative = (size - benign.transform("mean")) / benign.transform("std")
    of = lesions["target"][relative.notna()]

    assert roc_auc_score(of, relative.dropna()) > roc_auc_score(of, size[of.index]) + 0.02
    # The median cancer of SLICE-3D is at the 88th percentile of its patient's sizes.
    assert 0.83 < norm.cdf(relative[lesions["target"] == 1].median()) < 0.93


def test_the_tile_shows_the_colours_of_the_table(lesions, looks):
    assert looks["lesion_l"].equals(lesions["tbp_lv_L"].rename("lesion_l"))
    assert looks["skin_b"].equals(lesions["tbp_lv_Bext"].rename("skin_b"))


def test_a_look_knows_its_lesion_and_all_that_a_tile_needs(lesions, looks):
    assert tuple(looks.columns) == rendering.Look._fields
    assert looks["number"].map("ISIC_{:07d}".format).tolist() == lesions["isic_id"].tolist()
    assert looks[["asymmetry", "raggedness", "variegation"]].stack().between(0, 1).all()
