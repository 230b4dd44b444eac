"""synthetic.population: who they are, and who has how many lesions."""

import numpy as np
import pytest

from skinlesion.synthetic import population


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


@pytest.fixture(scope="module")
def cohort():
    return population.patients(1042, rng=rng())


def test_patients_are_distinct(cohort):
    assert cohort["patient_id"].is_unique
    assert cohort["patient_id"].str.fullmatch(r"IP_\d{7}").all()


def test_ages_are_steps_of_five_years(cohort):
    assert (cohort["age_approx"] % 5 == 0).all()
    assert cohort["age_approx"].between(5, 85).all()


def test_lesions_per_patient_have_the_heavy_tail_of_slice_3d(cohort):
    each = population.lesions_each(cohort["weight"].to_numpy(), n_lesions=401_059)
    assert each.sum() == 401_059
    assert 210 <= np.median(each) <= 270
    assert each.max() > 3000


def test_no_patient_is_without_a_lesion():
    each = population.lesions_each(np.array([1e-9, 1.0, 1e9]), n_lesions=5)
    assert each.tolist() == [1, 1, 3]


def test_a_quarter_of_the_patients_has_all_the_malignancies(cohort):
    patient = np.repeat(np.arange(1042), 50)
    log_odds = population.LOG_ODDS_PER_YEAR * cohort["age_approx"].to_numpy()
    chosen = population.malignant(patient, log_odds, n_malignant=393, rng=rng())
    assert chosen.sum() == 393
    assert len(set(patient[chosen])) == 259


def test_malignancies_come_with_age(cohort):
    patient, ages = np.arange(1042), cohort["age_approx"].to_numpy()
    log_odds = population.LOG_ODDS_PER_YEAR * ages
    chosen = population.malignant(patient, log_odds, n_malignant=200, rng=rng())
    assert ages[chosen].mean() > ages[~chosen].mean() + 3


@pytest.mark.parametrize("n_malignant", [0, 1, 3, 39, 40])
def test_any_number_of_lesions_can_be_malignant(n_malignant):
    patient = np.repeat(np.arange(4), 10)
    chosen = population.malignant(patient, np.zeros(4), n_malignant=n_malignant, rng=rng())
    assert chosen.sum() == n_malignant


def test_a_patients_lesions_are_chosen_together_and_never_too_many():
    patient = rng().permutation(np.repeat(np.arange(100), np.arange(1, 101)))
    chosen = population.of_whole_patients(patient, share=0.0287, rng=rng())
    assert 0.02 <= chosen.mean() <= 0.0287
    assert not set(patient[chosen]) & set(patient[~chosen])


def test_identifiers_are_distinct_and_increase():
    numbers, texts = population.identifiers("ISIC", 5000, rng=rng())
    assert (np.diff(numbers) > 0).all()
    assert texts[0] == f"ISIC_{numbers[0]:07d}"
    assert {len(text) for text in texts} == {12}
