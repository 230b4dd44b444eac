"""features.anomalies: a table unlike the training lesions is told of before it is scored."""

import numpy as np
import pytest
from tests.encodings import drawn, params

from skinlesion.errors import InputError
from skinlesion.features import anomalies, tabular


@pytest.fixture(scope="module")
def encoders():
    """Of two folds."""
    lesions = drawn(0, n=400)
    return [tabular.fit(lesions[start::2], params()) for start in (0, 1)]


@pytest.fixture
def said(encoders, tmp_path, monkeypatch):
    """Write a table, and return what is said of it."""

    def say(lesions, *, n_at_a_time: int = 7) -> list[str]:
        monkeypatch.setattr(anomalies, "N_AT_A_TIME", n_at_a_time)
        path = tmp_path / "test-metadata.csv"
        lesions.to_csv(path, index=False)
        return anomalies.said(path, encoders).splitlines()

    return say


@pytest.mark.parametrize("seed", range(1, 6))
@pytest.mark.parametrize("n", [1, 3, 100])
def test_of_a_table_like_the_training_lesions_nothing_is_said(said, seed, n):
    assert said(drawn(seed, n=n)) == []


def test_another_spelling_of_a_category_is_no_news(said):
    lesions = drawn(1)
    assert said(lesions.assign(sex=lesions["sex"].str.upper() + " ")) == []


def test_values_that_cannot_be_are_named_with_the_first_ten_lesions(said):
    lesions = drawn(1, n=60)
    lesions.loc[:11, "age_approx"] = 999.0
    first = said(lesions)[0]
    ids = ", ".join(lesions["isic_id"][:10])
    assert first == (
        "warning: test-metadata.csv: age_approx must be in [0, 120] years, else it counts as "
        f"missing (12): {ids} ..."
    )


def test_a_lesion_without_a_name_is_named_by_its_row(said):
    lesions = drawn(1, n=60)
    lesions.loc[:11, "age_approx"] = 999.0
    lesions.loc[9, "isic_id"] = None
    assert said(lesions)[0].endswith(f"{lesions['isic_id'][8]}, row 11 ...")


def test_more_that_is_unseen_is_named_with_its_values(said):
    lesions = drawn(1, n=60)
    lesions.loc[:9, "site"] = "palms/soles"
    (line,) = said(lesions)
    assert line == (
        "warning: test-metadata.csv: site: 16.7% of 60 lesions unseen, 0.0% in training: "
        "'palms/soles' (10)"
    )


@pytest.mark.parametrize("n_at_a_time", [1, 7, 1000])
def test_a_column_of_which_nothing_is_known_is_an_error(said, n_at_a_time):
    with pytest.raises(
        InputError, match=r"test-metadata.csv: sex: it must have values that .* 'm'"
    ):
        said(drawn(1, n=60).assign(sex="m"), n_at_a_time=n_at_a_time)
    with pytest.raises(InputError, match=r"age_approx: it must not be missing from all 60 lesions"):
        said(drawn(1, n=60).assign(age_approx=np.nan), n_at_a_time=n_at_a_time)


def test_one_lesion_may_lack_a_value(said):
    (line,) = said(drawn(1, n=1).assign(age_approx=45.0, sex="diverse"))
    assert "sex: 100.0% of 1 lesions unseen" in line


def test_an_absent_feature_is_an_error(said):
    with pytest.raises(InputError, match=r"must have a column 'sex'"):
        said(drawn(1).drop(columns="sex"))


def test_text_in_a_column_of_numbers_is_an_error(said):
    with pytest.raises(
        InputError, match=r"test-metadata.csv: age_approx must be a finite number\. Got 'old'"
    ):
        said(drawn(1).assign(age_approx="old"))
