"""scoring.predict: every lesion gets one score, on the true prior, in the order of the table."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from skinlesion.dataset import images, metadata, stores
from skinlesion.errors import InputError
from skinlesion.features import tabular
from skinlesion.network import model, trained
from skinlesion.scoring import predict

pytestmark = pytest.mark.usefixtures("keras_started")

PARAMS = predict.Params(batch_size=8, engine="keras", strict=False)
ENCODE = tabular.Params(
    numeric=["age_approx", "tbp_lv_areaMM2"],
    categorical=["sex", "anatom_site_general"],
    scaling="robust",
    missing="indicator",
    min_category_count=2,
)
N_TEST = 30


class Broken:
    """Tiles of which some cannot be read."""

    def __init__(self, store, ids) -> None:
        self.store, self.broken = store, set(ids)

    def ids(self) -> list[str]:
        return self.store.ids()

    def read(self, isic_id: str) -> bytes:
        return b"" if isic_id in self.broken else self.store.read(isic_id)


@pytest.fixture
def make(challenge, architecture):
    """Make a model with random weights, other ones each time."""
    encoder = tabular.fit(metadata.read(challenge / "train-metadata.csv"), ENCODE)

    def make(*, prior_shift: float = 0.0, **changes) -> trained.Trained:
        plan = architecture(n_features=len(encoder.names), **changes)
        facts = trained.Facts(
            prior_shift=prior_shift,
            best_epoch=0,
            validation={},
            backend="tensorflow",
            precision="float32",
            versions={},
            inputs_md5={},
        )
        return trained.Trained(model.logits_of(model.build(plan)), encoder, plan, facts)

    return make


@pytest.fixture
def test_csv(challenge):
    return challenge / "test-metadata.csv"


@pytest.fixture
def store(challenge):
    return stores.open_store(challenge / "test-image.hdf5")


def scored(models, metadata_csv, store, p=PARAMS) -> pd.DataFrame:
    return pd.concat(
        predict.score(models, predict.Source(metadata_csv, store), p), ignore_index=True
    )


def moved(m: trained.Trained, prior_shift: float) -> trained.Trained:
    facts = m.facts.model_copy(update={"prior_shift": prior_shift})
    return trained.Trained(m.logits, m.encoder, m.architecture, facts)


# === Scores ===


def test_scores_come_in_the_order_of_the_table(make, test_csv, store):
    m, expected = make(backbone="none"), metadata.read(test_csv)["isic_id"]

    assert scored([m], test_csv, store)["isic_id"].tolist() == expected.tolist()


def test_the_logit_is_put_on_the_true_prior(make, test_csv, store):
    m = make(backbone="none")
    plain, shifted = (scored([moved(m, s)], test_csv, store)["logit"] for s in (0.0, 2.5))

    np.testing.assert_allclose(shifted, plain - 2.5, atol=1e-12)


def test_the_logits_of_models_are_averaged_each_on_the_true_prior(make, test_csv, store):
    models = [make(prior_shift=1.0), make(prior_shift=-3.0, backbone="none")]
    one, two = (scored([m], test_csv, store)["logit"] for m in models)

    assert not np.allclose(one, two, atol=0.1)
    np.testing.assert_allclose(
        scored(models, test_csv, store)["logit"], (one + two) / 2, atol=1e-12
    )


@pytest.mark.parametrize(("n_read", "n_pieces"), [(3, 4), (8, 4), (17, 2), (30, 2), (40, 1)])
def test_scores_do_not_depend_on_how_much_is_read_at_a_time(
    make, test_csv, store, monkeypatch, n_read, n_pieces
):
    m = make()
    expected = scored([m], test_csv, store)
    monkeypatch.setattr(predict, "N_READ", n_read)
    pieces = list(predict.score([m], predict.Source(test_csv, store), PARAMS))

    assert len(pieces) == n_pieces
    assert all(len(piece) % PARAMS.batch_size == 0 for piece in pieces[:-1])
    pd.testing.assert_frame_equal(scored([m], test_csv, store), expected)


def test_selected_lesions_score_as_a_table_of_their_own(make, test_csv, store, tmp_path):
    m, table = make(), pd.read_csv(test_csv)
    table[::3].to_csv(tmp_path / "some.csv", index=False)
    chosen = predict.Selection(isic_ids=pd.Index(table["isic_id"][::3]))
    pieces = predict.score([m], predict.Source(test_csv, store), PARAMS, chosen)

    pd.testing.assert_frame_equal(
        pd.concat(pieces, ignore_index=True), scored([m], tmp_path / "some.csv", store)
    )


def test_a_tile_is_read_once_for_all_models_that_take_its_size(make, test_csv, store):
    read = []

    class Counting:
        def read(self, isic_id: str) -> bytes:
            read.append(isic_id)
            return store.read(isic_id)

    models = [make(), make(), make(backbone="none")]
    scored(models, test_csv, Counting())

    assert sorted(read) == sorted(metadata.read(test_csv)["isic_id"])


def test_a_model_without_image_branch_reads_no_tile(make, test_csv, store):
    ids = metadata.read(test_csv)["isic_id"]
    found = scored([make(backbone="none")], test_csv, Broken(store, ids))

    assert np.isfinite(found["logit"]).all()
    assert found["reason"].eq("").all()


def test_byte_order_mark_and_order_of_the_columns_are_irrelevant(make, test_csv, store, tmp_path):
    m, table = make(backbone="none"), pd.read_csv(test_csv)
    shuffled = table[table.columns[::-1]].assign(more="column")
    shuffled.to_csv(tmp_path / "shuffled.csv", index=False, encoding="utf-8-sig")
    found = scored([m], tmp_path / "shuffled.csv", store)

    pd.testing.assert_frame_equal(found, scored([m], test_csv, store), rtol=1e-6)


def test_any_unseen_category_scores_alike(make, test_csv, store, tmp_path):
    m, found = make(backbone="none"), []
    for sex in ("never seen", "7"):
        pd.read_csv(test_csv).assign(sex=sex).to_csv(tmp_path / "test.csv", index=False)
        found.append(scored([m], tmp_path / "test.csv", store)["logit"])

    assert np.isfinite(found[0]).all()
    pd.testing.assert_series_equal(*found)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda t: t.drop(columns="age_approx"), "must have a column 'age_approx'"),
        (lambda t: t.rename(columns={"age_approx": "age_aprox"}), "Did you mean 'age_aprox'"),
        (lambda t: t.assign(age_approx="old"), "age_approx must be a finite number. Got 'old'"),
        (lambda t: t.drop(columns="isic_id"), "must have a column 'isic_id'"),
    ],
)
def test_a_table_that_cannot_be_encoded_is_an_error(
    make, test_csv, store, tmp_path, change, expected
):
    change(pd.read_csv(test_csv)).to_csv(tmp_path / "test.csv", index=False)
    with pytest.raises(InputError) as caught:
        scored([make(backbone="none")], tmp_path / "test.csv", store)

    assert expected in str(caught.value)


def test_columns_are_those_of_all_models_once(make):
    models = [make(backbone="none"), make(backbone="none")]
    names, text = trained.columns(models)

    assert names == [*ENCODE.numeric, *ENCODE.categorical]
    assert text == ENCODE.categorical


@pytest.mark.parametrize(
    "wrong", [{"batch_size": 0}, {"strict": 1}, {"batch_size": 2.5}, {"engine": "fast"}]
)
def test_params_out_of_range_are_refused(wrong):
    with pytest.raises(ValidationError):
        predict.Params(**PARAMS.model_dump() | wrong)


# === Probabilities ===


def test_no_two_logits_below_30_become_a_tie():
    logits = np.concatenate([np.linspace(-30, 30, 10_001), [-30 + 1e-6, 29.9, 29.99]])
    scores = predict.probability(np.sort(logits))

    assert (np.diff(scores) > 0).all()
    assert 0 < scores.min() < scores.max() < 1


def test_opposite_logits_have_complementary_scores():
    logits = np.linspace(-20, 20, 11)

    np.testing.assert_allclose(predict.probability(logits), 1 - predict.probability(-logits))


def test_extreme_logits_do_not_overflow():
    assert np.isfinite(predict.probability(np.array([-800.0, 800.0]))).all()


def test_an_unreadable_lesion_gets_the_median_of_the_others():
    found = predict.median_for_unreadable(np.array([1.0, np.nan, 5.0, 2.0, np.nan]))

    assert found.tolist() == [1, 2, 5, 2, 2]


def test_without_a_readable_tile_there_is_no_score():
    with pytest.raises(InputError, match="at least one tile must be readable"):
        predict.median_for_unreadable(np.full(3, np.nan))


# === The test set ===


def written(models, metadata_csv, store, out, p=PARAMS):
    pieces = predict.score(models, predict.Source(metadata_csv, store), p)
    counts = predict.write_test_set(pieces, predict.isic_ids(metadata_csv), out)
    return counts, pd.read_csv(out / "submission.csv"), pd.read_csv(out / "unreadable.csv")


def test_the_submission_is_isic_id_and_target_in_the_order_of_the_table(
    make, test_csv, store, tmp_path
):
    m = make(prior_shift=3.0)
    counts, submission, unreadable = written([m], test_csv, store, tmp_path)
    logits = scored([m], test_csv, store)["logit"]

    assert submission.columns.tolist() == ["isic_id", "target"]
    assert submission["isic_id"].tolist() == metadata.read(test_csv)["isic_id"].tolist()
    np.testing.assert_allclose(submission["target"], 1 / (1 + np.exp(-logits)))
    assert (counts, len(unreadable)) == ({"n_lesions": N_TEST, "n_unreadable": 0}, 0)


def test_unreadable_tiles_are_scored_listed_and_counted(
    make, test_csv, store, tmp_path, monkeypatch
):
    monkeypatch.setattr(predict, "N_READ", 8)
    models, ids = [make(), make()], metadata.read(test_csv)["isic_id"]
    _, whole, _ = written(models, test_csv, store, tmp_path)
    broken = ids.iloc[[3, 4, 20]].tolist()
    counts, submission, unreadable = written(models, test_csv, Broken(store, broken), tmp_path)
    rest = ~ids.isin(broken)

    assert counts == {"n_lesions": N_TEST, "n_unreadable": 3}
    assert unreadable["isic_id"].tolist() == broken
    assert unreadable["reason"].str.contains("It is empty").all()
    np.testing.assert_allclose(submission["target"][rest], whole["target"][rest])
    logits = np.log(submission["target"] / (1 - submission["target"]))
    np.testing.assert_allclose(logits[~rest], np.median(logits[rest]))


def test_an_unreadable_tile_is_an_error_where_scoring_is_strict(make, test_csv, store, tmp_path):
    isic_id = metadata.read(test_csv)["isic_id"].iloc[9]
    p = PARAMS.model_copy(update={"strict": True})
    with pytest.raises(images.ImageError, match=f"{isic_id}: .* It is empty"):
        written([make()], test_csv, Broken(store, [isic_id]), tmp_path, p)


def test_a_test_set_without_a_readable_tile_is_an_error(make, test_csv, store, tmp_path):
    ids = metadata.read(test_csv)["isic_id"]
    with pytest.raises(InputError, match="at least one tile must be readable"):
        written([make()], test_csv, Broken(store, ids), tmp_path)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda t: pd.concat([t, t.iloc[[2]]]),
            r"must name each isic_id once\. Got ISIC_\d+ again",
        ),
        (lambda t: t.iloc[:0], r"must hold lesions\. It holds none"),
        (
            lambda t: t.assign(isic_id=[None, *t["isic_id"][1:]]),
            r"must name every lesion\. Row 2 has no",
        ),
    ],
)
def test_a_test_table_that_names_no_set_of_lesions_is_an_error(
    make, test_csv, store, tmp_path, change, expected
):
    change(pd.read_csv(test_csv)).to_csv(tmp_path / "test.csv", index=False)
    with pytest.raises(InputError, match=expected):
        written([make()], tmp_path / "test.csv", store, tmp_path)


# === Lesions whose target is known ===


@pytest.fixture
def folds(challenge):
    """Every third lesion of the training table, from last to first."""
    lesions = metadata.read(challenge / "train-metadata.csv", columns=list(metadata.REQUIRED))
    return lesions.iloc[::-3][list(metadata.REQUIRED)].assign(fold=-1)


def fold_scored(models, folds, challenge):
    return predict.score_fold(models, folds, learnt_from(challenge), PARAMS, name="holdout")


def learnt_from(challenge) -> predict.Source:
    store = stores.open_store(challenge / "train-image.hdf5")
    return predict.Source(challenge / "train-metadata.csv", store)


def test_a_folds_scores_keep_target_and_patient_of_each_lesion(make, folds, challenge):
    m = make(prior_shift=1.0)
    found = fold_scored([m], folds, challenge)
    columns = ["isic_id", "patient_id", "target", "fold"]

    assert found.columns.tolist() == [*columns, "score"]
    pd.testing.assert_frame_equal(
        found[columns].sort_values("isic_id", ignore_index=True),
        folds[columns].sort_values("isic_id", ignore_index=True),
    )
    everyone = scored(
        [m],
        challenge / "train-metadata.csv",
        stores.open_store(challenge / "train-image.hdf5"),
    ).set_index("isic_id")["logit"]
    logits = np.log(found["score"] / (1 - found["score"]))
    np.testing.assert_allclose(logits, everyone[found["isic_id"]], rtol=1e-4, atol=1e-5)


def test_a_fold_without_lesions_is_an_empty_table(make, folds, challenge):
    found = fold_scored([make(backbone="none")], folds.iloc[:0], challenge)

    assert found.columns.tolist() == ["isic_id", "patient_id", "target", "fold", "score"]
    assert len(found) == 0


def test_a_lesion_of_the_split_that_the_metadata_lacks_is_an_error(make, folds, challenge):
    other = folds.assign(isic_id=["ISIC_0", *folds["isic_id"][1:]])
    with pytest.raises(InputError, match=r"must hold the 40 lesions of the split\. Got 39"):
        fold_scored([make(backbone="none")], other, challenge)


def test_a_known_lesions_tile_must_be_readable(make, folds, challenge):
    m, store = make(), stores.open_store(challenge / "train-image.hdf5")
    isic_id = folds["isic_id"].iloc[5]
    source = predict.Source(challenge / "train-metadata.csv", Broken(store, [isic_id]))
    with pytest.raises(images.ImageError, match=isic_id):
        predict.score_fold([m], folds, source, PARAMS, name="holdout")


def test_the_holdout_is_scored_by_all_and_a_fold_by_its_own_model(make, folds, challenge):
    folds = folds.assign(fold=np.resize([-1, 0, 3], len(folds)))
    models = {0: make(), 3: make()}
    holdout, oof = predict.score_learnt_from(models, folds, learnt_from(challenge), PARAMS)

    assert set(holdout["isic_id"]) == set(folds.loc[folds["fold"] == -1, "isic_id"])
    assert oof["fold"].tolist() == [0] * sum(folds["fold"] == 0) + [3] * sum(folds["fold"] == 3)
    for members, found in (
        ([models[0], models[3]], holdout),
        ([models[3]], oof[oof["fold"] == 3]),
    ):
        alone = folds[folds["isic_id"].isin(found["isic_id"])]
        expected = fold_scored(members, alone, challenge)["score"]
        np.testing.assert_array_equal(found["score"], expected)
