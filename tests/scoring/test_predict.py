"""scoring.predict: every lesion gets one score, on the true prior, in the order of the table."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pydantic import ValidationError
from tests import scorings
from tests.scorings import PARAMS, scored
from tests.tiles import encoded

from skinlesion.dataset import metadata
from skinlesion.errors import InputError
from skinlesion.network import trained
from skinlesion.scoring import executor, lesions, predict

pytestmark = pytest.mark.usefixtures("keras_started")


def moved(m: trained.Trained, prior_shift: float) -> trained.Trained:
    facts = m.facts.model_copy(update={"prior_shift": prior_shift})
    return trained.Trained(m.logits, m.encoder, m.architecture, facts)


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


class Turned:
    """Tiles as PNG, a quarter of a turn further."""

    def __init__(self, store, n_turns: int) -> None:
        self.store, self.n_turns = store, n_turns

    def read(self, isic_id: str) -> bytes:
        pixels = np.asarray(Image.open(io.BytesIO(self.store.read(isic_id))).convert("RGB"))
        return encoded(np.rot90(pixels, self.n_turns))


@pytest.mark.parametrize("n_views", [4, 8])
def test_over_all_turns_a_score_does_not_depend_on_how_a_tile_lies(make, test_csv, store, n_views):
    m, p = make(), PARAMS.model_copy(update={"n_views": n_views})
    one, other = (scored([m], test_csv, Turned(store, n))["logit"] for n in (0, 1))
    mean, turned = (scored([m], test_csv, Turned(store, n), p)["logit"] for n in (0, 1))

    # What is left is the rounding of the resized pixels; how much it moves, the weights decide.
    assert np.abs(mean - turned).max() < 0.2 * np.abs(one - other).max()
    assert np.abs(one - other).max() > 1e-4
    assert np.abs(mean - one).max() > 1e-4


@pytest.mark.parametrize(("n_read", "n_pieces"), [(3, 4), (8, 4), (17, 2), (30, 2), (40, 1)])
def test_scores_do_not_depend_on_how_much_is_read_at_a_time(
    make, test_csv, store, monkeypatch, n_read, n_pieces
):
    m = make()
    expected = scored([m], test_csv, store)
    monkeypatch.setattr(executor, "MAX_PIECE", n_read)
    pieces = scorings.pieces([m], test_csv, store)

    assert len(pieces) == n_pieces
    assert all(len(piece) % PARAMS.batch_size == 0 for piece in pieces[:-1])
    pd.testing.assert_frame_equal(scored([m], test_csv, store), expected)


def test_selected_lesions_score_as_a_table_of_their_own(make, test_csv, store, tmp_path):
    m, table = make(), pd.read_csv(test_csv)
    table[::3].to_csv(tmp_path / "some.csv", index=False)
    chosen = lesions.Selection(isic_ids=pd.Index(table["isic_id"][::3]))
    pieces = scorings.pieces([m], test_csv, store, selection=chosen)

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
    found = scored([make(backbone="none")], test_csv, scorings.Broken(store, ids))

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

    assert names == [*scorings.ENCODE.numeric, *scorings.ENCODE.categorical]
    assert text == scorings.ENCODE.categorical


@pytest.mark.parametrize(
    "wrong", [{"batch_size": 0}, {"strict": 1}, {"batch_size": 2.5}, {"engine": "fast"}]
)
def test_params_out_of_range_are_refused(wrong):
    with pytest.raises(ValidationError):
        predict.Params(**PARAMS.model_dump() | wrong)
