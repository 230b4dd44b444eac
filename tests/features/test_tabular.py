"""features.tabular: features become finite numbers, by what the training lesions alone say."""

import numpy as np
import pandas as pd
import pytest
from tests.encodings import ENCODINGS, drawn, params

from skinlesion.dataset import metadata
from skinlesion.errors import InputError
from skinlesion.features import tabular


def one(name: str, values: list, **changes) -> tuple[tabular.Encoder, np.ndarray]:
    """Fit and encode one numeric column."""
    lesions = table(name, values)
    encoder = tabular.fit(lesions, params(**{"numeric": [name], "categorical": []} | changes))
    return encoder, tabular.transform(lesions, encoder)


def table(name: str, values: list) -> pd.DataFrame:
    return pd.DataFrame({"isic_id": [f"ISIC_{i}" for i in range(len(values))], name: values})


@pytest.fixture(scope="module")
def lesions():
    return drawn(0)


# === Refused features ===


@pytest.mark.parametrize("kind", ["numeric", "categorical"])
@pytest.mark.parametrize("name", metadata.TRAIN_ONLY)
def test_a_column_known_in_training_only_is_refused_by_name(lesions, name, kind):
    leaking = lesions.assign(**{name: 1})
    said = rf"encode: '{name}' is known only in training and gives the diagnosis away"
    with pytest.raises(InputError, match=said):
        tabular.fit(leaking, params(**{kind: [name]}))


@pytest.mark.parametrize("kind", ["numeric", "categorical"])
@pytest.mark.parametrize("name", ["isic_id", "patient_id"])
def test_an_identifier_is_refused(lesions, name, kind):
    with pytest.raises(InputError, match=rf"encode: '{name}' says who a lesion belongs to"):
        tabular.fit(lesions, params(**{kind: [name]}))


def test_a_misspelt_feature_is_named_and_the_nearest_suggested(lesions):
    said = r"encode: 'age_aprox' is no column of the table\. Did you mean 'age_approx'\?"
    with pytest.raises(InputError, match=said):
        tabular.refuse(params(numeric=["age_aprox"]), lesions.columns)


@pytest.mark.parametrize(
    "changes",
    [{"numeric": ["tbp_lv_A", "tbp_lv_A"]}, {"numeric": ["tbp_lv_A"], "categorical": ["tbp_lv_A"]}],
)
def test_a_feature_named_twice_is_refused(lesions, changes):
    with pytest.raises(InputError, match=r"encode: 'tbp_lv_A' is named more than once"):
        tabular.refuse(params(**changes), lesions.columns)


def test_all_findings_are_reported_at_once(lesions):
    p = params(numeric=["target", "agee", "tbp_lv_A"], categorical=["tbp_lv_A", "isic_id"])
    with pytest.raises(InputError) as refused:
        tabular.refuse(p, lesions.columns)
    lines = str(refused.value).splitlines()
    assert [line.split("'")[1] for line in lines] == ["target", "agee", "tbp_lv_A", "isic_id"]


def test_good_features_are_not_refused(lesions):
    tabular.refuse(params(), lesions.columns)


# === Numbers ===


@pytest.mark.parametrize("seed", range(5))
def test_robust_scaling_puts_the_quartiles_one_apart_around_0(seed):
    values = np.random.default_rng(seed).gamma(2.0, 5.0, 101)
    _, encoded = one("x", list(values), scaling="robust")
    low, median, high = np.percentile(encoded[:, 0], [25, 50, 75])
    assert median == pytest.approx(0, abs=1e-6)
    assert high - low == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_standard_scaling_gives_mean_0_and_variance_1(seed):
    values = np.random.default_rng(seed).gamma(2.0, 5.0, 101)
    _, encoded = one("x", list(values), scaling="standard")
    assert encoded[:, 0].mean() == pytest.approx(0, abs=1e-6)
    assert encoded[:, 0].std() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("scaling", ["robust", "standard"])
def test_units_do_not_matter(lesions, scaling):
    p = params(scaling=scaling, numeric=["age_approx", "depth"])
    lesions = lesions.assign(depth=lesions["tbp_lv_A"])
    metres = lesions.assign(depth=lesions["depth"] * 1000 + 7)
    np.testing.assert_allclose(
        tabular.transform(metres, tabular.fit(metres, p)),
        tabular.transform(lesions, tabular.fit(lesions, p)),
        atol=1e-5,
    )


@pytest.mark.parametrize("scaling", ["robust", "standard"])
def test_a_missing_number_counts_as_the_median(scaling):
    encoder, encoded = one("x", [1.0, 2.0, 9.0, 30.0, np.nan, 9.0], scaling=scaling)
    assert encoder.numeric["x"].median == 9
    assert encoded[4, 0] == encoded[2, 0]


def test_an_indicator_says_which_numbers_are_missing():
    encoder, encoded = one("x", [1.0, np.nan, 9.0, None], missing="indicator")
    assert encoder.names == ["x", "x=missing"]
    assert encoded[:, 1].tolist() == [0, 1, 0, 1]


def test_without_indicator_there_is_one_column_of_the_same_numbers():
    encoder, encoded = one("x", [1.0, np.nan, 9.0, None], missing="median")
    assert encoder.names == ["x"]
    assert encoded.shape == (4, 1)
    np.testing.assert_array_equal(encoded, one("x", [1.0, np.nan, 9.0, None])[1][:, :1])


@pytest.mark.parametrize("scaling", ["robust", "standard"])
@pytest.mark.parametrize("n", [1, 3, 6, 7, 50])
@pytest.mark.parametrize("value", [0.0, 0.1, 1.1, 29.7, -3.0, 1e20])
def test_a_constant_column_keeps_its_scale_and_is_listed(scaling, n, value):
    encoder, encoded = one("x", [value] * n, scaling=scaling)
    assert encoder.numeric["x"].scale == 1
    assert encoder.constant == ("x", "x=missing")
    np.testing.assert_allclose(encoded[:, 0], 0, atol=1e-9 * max(1, abs(value)))
    other = tabular.transform(table("x", [value + 1]), encoder)
    assert other[0, 0] == pytest.approx(1 if abs(value) < 1e9 else 0, abs=1e-6)


@pytest.mark.parametrize("scaling", ["robust", "standard"])
def test_a_column_that_hardly_varies_stays_finite(scaling):
    _, encoded = one("x", [0.0] * 99 + [1e30], scaling=scaling)
    assert np.isfinite(encoded).all()


@pytest.mark.parametrize("values", [[np.nan] * 4, [None] * 4])
@pytest.mark.parametrize("missing", ["median", "indicator"])
def test_a_column_without_any_value_is_accepted_and_finite(values, missing):
    encoder, encoded = one("x", values, missing=missing)
    assert np.isfinite(encoded).all()
    assert set(encoder.constant) == set(encoder.names)
    later = tabular.transform(table("x", [1.0, np.nan]), encoder)
    assert np.isfinite(later).all()


def test_numbers_written_as_text_are_numbers():
    as_text, as_numbers = one("x", ["1", "2.5", None, "1e1"]), one("x", [1, 2.5, None, 10])
    np.testing.assert_array_equal(as_text[1], as_numbers[1])


@pytest.mark.parametrize(
    ("wrong", "shown"),
    [
        ("large", "'large'"),
        (np.inf, "inf"),
        (-np.inf, "-inf"),
        ("inf", "'inf'"),
        (1e39, r"1e\+39"),
        ("", "''"),
    ],
)
def test_text_and_infinity_are_refused_by_isic_id_and_column(wrong, shown):
    lesions = table("age_approx", [1.0, 2.0, wrong, 4.0, wrong])
    said = rf"age_approx must be a finite number\. Got {shown} instead for ISIC_2 \(2 such lesions"
    p = params(numeric=["age_approx"], categorical=[])
    with pytest.raises(InputError, match=said):
        tabular.fit(lesions, p)
    encoder = tabular.fit(table("age_approx", [1.0, 2.0]), p)
    with pytest.raises(InputError, match=said):
        tabular.transform(lesions, encoder)


# === Categories ===


def block(encoder: tabular.Encoder, encoded: np.ndarray, feature: str) -> pd.DataFrame:
    frame = pd.DataFrame(encoded, columns=encoder.names)
    return frame[[name for name in encoder.names if name.startswith(f"{feature}=")]]


def categories(values: list, **changes) -> tuple[tabular.Encoder, pd.DataFrame]:
    lesions = table("sex", values)
    p = params(**{"numeric": [], "categorical": ["sex"]} | changes)
    encoder = tabular.fit(lesions, p)
    return encoder, block(encoder, tabular.transform(lesions, encoder), "sex")


@ENCODINGS
@pytest.mark.parametrize("seed", [0, 1])
def test_every_row_has_one_category_per_feature(lesions, changes, seed):
    encoder = tabular.fit(lesions, params(**changes))
    encoded = tabular.transform(drawn(seed).replace({"sex": {"male": "other"}}), encoder)
    for feature in encoder.categorical:
        columns = block(encoder, encoded, feature)
        assert columns.isin([0, 1]).all().all()
        assert columns.sum(axis=1).eq(1).all()


def test_a_category_has_its_own_column_and_so_have_missing_and_unseen():
    encoder, _ = categories(["male", "female", None, "male"])
    lesions = table("sex", ["female", "male", None, "diverse", np.nan])
    columns = block(encoder, tabular.transform(lesions, encoder), "sex")
    assert list(columns) == ["sex=female", "sex=male", "sex=missing", "sex=unseen"]
    found = columns.idxmax(axis=1).tolist()
    assert found == ["sex=female", "sex=male", "sex=missing", "sex=unseen", "sex=missing"]


@pytest.mark.parametrize(("count", "known"), [(1, "abc"), (2, "ab"), (3, "a"), (4, "")])
def test_a_rare_category_counts_as_unseen(count, known):
    values = ["a"] * 3 + ["b"] * 2 + ["c"]
    encoder, columns = categories(values, min_category_count=count)
    assert encoder.categorical["sex"].values == tuple(known)
    assert columns["sex=unseen"].tolist() == [value not in known for value in values]


def test_a_category_called_missing_or_unseen_is_what_it_says():
    encoder, columns = categories(["missing", "unseen", "male", None])
    assert len(set(encoder.names)) == len(encoder.names)
    assert columns["sex=missing"].tolist() == [1, 0, 0, 1]
    assert columns["sex=unseen"].tolist() == [0, 1, 0, 0]


def test_a_column_of_numbers_can_be_a_category():
    encoder, columns = categories([1, 2, 2, 1])
    assert encoder.names == ["sex=1", "sex=2", "sex=missing", "sex=unseen"]
    assert columns["sex=2"].tolist() == [0, 1, 1, 0]


def test_categories_without_any_value_are_all_missing():
    encoder, columns = categories([None, None])
    assert encoder.names == ["sex=missing", "sex=unseen"]
    assert columns["sex=missing"].eq(1).all()


@pytest.mark.parametrize("again", [3, 3.0, "3.0", "03", " 3"])
def test_a_code_is_the_same_category_however_it_is_written(again):
    encoder, _ = categories([1, 2, 3, 3])
    assert encoder.names == ["sex=1", "sex=2", "sex=3", "sex=missing", "sex=unseen"]
    columns = block(encoder, tabular.transform(table("sex", [again]), encoder), "sex")
    assert columns.idxmax(axis=1).tolist() == ["sex=3"]


def test_spellings_of_a_category_are_counted_together_and_the_commonest_is_shown():
    values = ["Type 3", "Type 3", "type 3 ", "TRUE", "True", "True", "  "]
    encoder, columns = categories(values, min_category_count=3)
    assert encoder.categorical["sex"].values == ("True", "Type 3")
    assert columns["sex=Type 3"].tolist() == [1, 1, 1, 0, 0, 0, 0]
    assert columns["sex=missing"].tolist() == [0, 0, 0, 0, 0, 0, 1]


def test_where_no_two_categories_differ_in_spelling_alone_all_stay_as_they_are(challenge):
    lesions = metadata.read(challenge / "train-metadata.csv")
    features = ["sex", "anatom_site_general", "tbp_tile_type", "tbp_lv_location"]
    encoder = tabular.fit(lesions, params(numeric=[], categorical=features))
    for feature in features:
        written = lesions[feature].dropna().unique()
        assert encoder.categorical[feature].values == tuple(sorted(written))


@pytest.mark.parametrize("count", [1, 2])
def test_the_shares_that_training_lacked_are_kept(count):
    encoder, columns = categories(["a", "a", "a", "b", None, "missing"], min_category_count=count)
    lacking = encoder.categorical["sex"].lacking
    assert lacking.n_lesions == 6
    assert lacking.missing == columns["sex=missing"].mean() == 2 / 6
    assert lacking.unseen == columns["sex=unseen"].mean() == (count - 1) / 6
    assert one("x", [1.0, None, None, 2.0])[0].numeric["x"].lacking.missing == 0.5


# === Values that cannot be ===


def test_a_value_that_cannot_be_is_an_error_in_training_that_names_the_lesions():
    lesions = table("age_approx", [40.0, -5.0, 999.0, 60.0])
    said = r"age_approx must be in \[0, 120\] years\. Got -5 first, in 2 .*: ISIC_1, ISIC_2$"
    with pytest.raises(InputError, match=said):
        tabular.fit(lesions, params(numeric=["age_approx"], categorical=[]))


def test_a_value_that_cannot_be_counts_as_missing_afterwards():
    encoder, _ = one("age_approx", [40.0, 50.0, None, 60.0])
    wrong, missing = (
        tabular.transform(table("age_approx", [value, 41.0]), encoder) for value in (999.0, None)
    )
    np.testing.assert_array_equal(wrong, missing)


# === What lesions lack ===


@pytest.mark.parametrize("n", [1, 7, 120])
def test_what_lesions_lack_is_what_the_matrix_says(lesions, n):
    encoder = tabular.fit(lesions, params(min_category_count=20))
    other = drawn(1).replace({"sex": {"male": "other"}}).assign(tbp_lv_A=-999.0)
    found: dict = {}
    for start in range(0, len(other), n):
        tabular.tally(other[start : start + n], encoder, found)
    encoded = pd.DataFrame(tabular.transform(other, encoder), columns=encoder.names)

    assert found.keys() == set(encoder.columns)
    for name, counted in found.items():
        assert counted.n_lesions == len(other)
        assert counted.n_missing == encoded[f"{name}=missing"].sum()
        assert counted.unseen.total() == encoded.get(f"{name}=unseen", pd.Series([0])).sum()


# === The matrix ===


@ENCODINGS
def test_the_matrix_is_float32_finite_and_as_wide_as_its_names(lesions, changes):
    encoder = tabular.fit(lesions, params(**changes))
    for other in (lesions, drawn(1, n=30), lesions.iloc[:1], lesions.iloc[:0]):
        encoded = tabular.transform(other, encoder)
        assert encoded.dtype == np.float32
        assert encoded.shape == (len(other), len(encoder.names))
        assert np.isfinite(encoded).all()


def test_without_features_the_matrix_has_no_columns(lesions):
    encoder = tabular.fit(lesions, params(numeric=[], categorical=[]))
    assert tabular.transform(lesions, encoder).shape == (len(lesions), 0)
    assert encoder.columns == encoder.names == []


@ENCODINGS
def test_each_lesion_is_encoded_by_itself(lesions, changes):
    encoder = tabular.fit(lesions, params(**changes))
    whole = tabular.transform(lesions, encoder)
    rows = np.random.default_rng(0).permutation(len(lesions))
    np.testing.assert_array_equal(tabular.transform(lesions.iloc[rows], encoder), whole[rows])
    np.testing.assert_array_equal(tabular.transform(lesions.iloc[[3]], encoder), whole[[3]])


def test_the_order_and_number_of_the_columns_do_not_matter(lesions):
    encoder = tabular.fit(lesions, params())
    turned = lesions[lesions.columns[::-1]].assign(extra="x")
    np.testing.assert_array_equal(
        tabular.transform(turned, encoder), tabular.transform(lesions, encoder)
    )


@pytest.mark.parametrize("name", ["age_approx", "sex"])
def test_a_column_that_the_table_lacks_is_named_and_the_nearest_suggested(lesions, name):
    encoder = tabular.fit(lesions, params())
    renamed = lesions.rename(columns={name: f"{name}s"})
    said = rf"must have a column '{name}'\. Did you mean '{name}s'\?"
    with pytest.raises(InputError, match=said):
        tabular.transform(renamed, encoder)


# === Fitting ===


@ENCODINGS
def test_the_order_of_the_training_lesions_is_irrelevant(lesions, changes):
    p = params(**changes)
    shuffled = tabular.fit(lesions.sample(frac=1, random_state=1), p)
    fitted = tabular.fit(lesions, p)
    assert shuffled.names == fitted.names
    assert shuffled.constant == fitted.constant
    np.testing.assert_allclose(
        tabular.transform(lesions, shuffled), tabular.transform(lesions, fitted), atol=1e-6
    )


@pytest.mark.parametrize("scaling", ["robust", "standard"])
def test_only_the_lesions_given_decide(lesions, scaling):
    p = params(scaling=scaling)
    training = lesions.iloc[:80]
    changed = pd.concat([training, lesions.iloc[80:].assign(age_approx=119, sex="other")])
    assert tabular.fit(changed.iloc[:80], p) == tabular.fit(training, p)
    assert tabular.fit(changed, p) != tabular.fit(training, p)


def test_the_target_does_not_matter(lesions):
    labelled = [lesions.assign(target=value) for value in (0, 1)]
    first, second = (tabular.fit(table, params()) for table in labelled)
    assert first == second == tabular.fit(lesions, params())


def test_columns_that_never_varied_in_training_are_listed_with_their_places(lesions):
    encoder = tabular.fit(lesions, params())
    # No category is missing from `site`, none unseen; tbp_lv_A is never missing.
    assert set(encoder.constant) == {
        "tbp_lv_A=missing",
        "sex=unseen",
        "site=missing",
        "site=unseen",
    }
    encoded = tabular.transform(lesions, encoder)
    places = set(encoder.constant_indices)
    assert {i for i, column in enumerate(encoded.T) if np.ptp(column) == 0} == places
    assert {encoder.names[i] for i in places} == set(encoder.constant)
