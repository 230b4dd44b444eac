"""bundle.runtime: a bundle scores as the pipeline does, one lesion or all, with tiles or not."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.special import logit

from skinlesion.bundle import looking, networks, runtime
from skinlesion.dataset import images
from skinlesion.errors import InputError
from skinlesion.scoring import patches

KINDS = pytest.mark.parametrize("kind", ["both", "seeds", "image", "table"])


def opened(made, kind: str = "both") -> runtime.Bundle:
    return runtime.open(made / kind)


@KINDS
def test_scores_are_those_of_the_pipeline_to_1e_5_of_the_logit_and_in_ranking(
    made, table, tiles, kind
):
    expected = pd.read_csv(made / f"{kind}.csv")
    found = opened(made, kind).score(table, tiles)

    assert found["isic_id"].tolist() == expected["isic_id"].tolist()
    for name in [n for n in ("network", "table", "probability") if n in expected]:
        np.testing.assert_allclose(logit(found[name]), logit(expected[name]), atol=1e-5)
    np.testing.assert_allclose(found["logit"], logit(expected["score"]), atol=1e-5)
    assert found["logit"].rank().tolist() == expected["score"].rank().tolist()
    assert found["logit"].std() > 1e-3


@pytest.mark.parametrize("kind", ["both", "image", "table"])
def test_patients_scored_one_by_one_are_those_scored_together_to_the_bit(made, table, tiles, kind):
    b = opened(made, kind)
    together = b.score(table, tiles).set_index("isic_id")
    of_patients = [b.score(t, tiles) for _, t in table.groupby("patient_id")]
    apart = pd.concat(of_patients).set_index("isic_id")

    pd.testing.assert_frame_equal(apart.loc[together.index], together)


def test_the_order_of_the_rows_does_not_matter(made, table, tiles):
    b, shuffled = opened(made), table.sample(frac=1, random_state=0)
    found = b.score(shuffled, tiles).set_index("isic_id")

    expected = b.score(table, tiles).set_index("isic_id")
    pd.testing.assert_frame_equal(found.loc[expected.index], expected)


def test_a_lesion_beside_others_is_scored_otherwise_than_alone(made, table, tiles):
    b, n = opened(made), table["patient_id"].value_counts()
    of_one = table[table["patient_id"] == n.index[0]]
    beside, alone = b.score(of_one, tiles), b.score(of_one.drop(columns="patient_id"), tiles)

    assert (beside["table"] != alone["table"]).any()
    assert alone["rank"].eq(1).all()
    assert alone["n_lesions"].eq(1).all()
    assert beside["n_lesions"].eq(len(of_one)).all()


def test_rank_1_is_the_patients_most_suspicious_lesion(made, table, tiles):
    found = opened(made).score(table, tiles)
    for _, of in found.groupby("patient_id"):
        expected = of["probability"].rank(ascending=False, method="min")
        assert of["rank"].tolist() == expected.tolist()


@KINDS
def test_uncertainty_is_that_of_the_pipeline(made, table, tiles, kind):
    expected = pd.read_csv(made / f"{kind}.csv")["uncertainty"]
    found = opened(made, kind).score(table, tiles)["uncertainty"]

    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    assert found.std() > 0


def test_lesions_far_outside_the_training_data_are_marked_and_no_others(made, table, tiles):
    b, odd = opened(made), table.copy()
    odd.loc[0, "tbp_lv_H"], odd.loc[1, "sex"] = -179.0, "unheard of"
    found, usual = b.score(odd, tiles)["shift"], b.score(table, tiles)["shift"]

    assert found[0].startswith("tbp_lv_H -179, usually ")
    assert found[1] == "sex 'unheard of', not of the training lesions"
    pd.testing.assert_series_equal(found[2:], usual[2:])
    assert (usual == "").mean() > 0.9


@pytest.mark.parametrize("kind", ["both", "image"])
def test_a_lesion_without_a_readable_tile_gets_the_median_and_a_reason(made, table, tiles, kind):
    b, ids = opened(made, kind), table["isic_id"]
    spoilt = {k: v for k, v in tiles.items() if k != ids[0]} | {ids[1]: b"no tile"}
    found, whole = b.score(table, spoilt), b.score(table, tiles)

    assert (found["reason"] != "").tolist() == [True, True] + [False] * (len(table) - 2)
    middle = np.median(logit(whole["network"][2:]))
    np.testing.assert_allclose(logit(found["network"][:2]), middle)
    assert found["probability"].notna().all()
    others = ["network", "reason"]
    pd.testing.assert_frame_equal(found.loc[2:, others], whole.loc[2:, others])


def test_where_no_tile_can_be_read_the_median_out_of_fold_stands_for_it(made, table):
    found = opened(made, "image").score(table[:2], {})

    np.testing.assert_allclose(logit(found["network"]), -3.0)  # as tests.bundles sets it


def test_a_table_only_bundle_reads_no_tile_for_its_network(made, table):
    b = opened(made, "table")
    found = b.score(table, {})

    assert found["reason"].eq("").all()
    assert b.occlusion(table.iloc[0].to_dict(), b"").shape == (0, 0)


def test_reasons_sum_to_the_difference_between_two_lesions(made, table, tiles):
    b = opened(made)
    first, second = (
        sum(r["contribution"] for r in of)
        for of in b.reasons(table[:2].assign(patient_id="P"), tiles)
    )
    scores = logit(b.score(table[:2].assign(patient_id="P"), tiles)["table"])

    assert first - second == pytest.approx(scores[0] - scores[1])


def test_reasons_name_values_and_come_largest_first(made, table, tiles):
    found = opened(made).reasons(table, tiles)
    for row, of in zip(table.to_dict("records"), found, strict=True):
        sizes = [abs(r["contribution"]) for r in of]
        assert sizes == sorted(sizes, reverse=True)
        given = {r["feature"]: r["value"] for r in of}
        if "age_approx" in given:
            assert given["age_approx"] == pytest.approx(row["age_approx"], nan_ok=True)
        assert given.get("sex", row["sex"]) in (row["sex"], None)
    assert opened(made, "image").reasons(table) == [[]] * len(table)


def test_occlusion_is_the_fall_of_the_mean_logit_under_each_patch(made, table, tiles):
    """Against tiles that are hidden before they are encoded, as PNG, at the networks' own size."""
    b, row = opened(made, "image"), table.iloc[0].to_dict()
    tile = images.tile(tiles[row["isic_id"]], px=32)
    one = dict(list(b.networks.items())[:1])
    found = looking.drops(one, table[:1], _png(tile), 0.25)
    hidden = [_png(p) for p in patches.hidden(tile, fraction=0.25)]
    lesions = table[:1].loc[[0] * 50].assign(isic_id=[f"I{i}" for i in range(50)])
    given = dict(zip(lesions["isic_id"], [_png(tile), *hidden], strict=True))
    scored = networks.score(one, lesions, runtime.Memory(given), n_views=1)
    logits = scored["logit"].to_numpy()
    np.testing.assert_allclose(found.ravel(), logits[0] - logits[1:], atol=1e-6)
    assert b.occlusion(row, tiles[row["isic_id"]]).shape == (7, 7)


def _png(tile: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(tile).save(file, "png")
    return file.getvalue()


def test_a_tile_that_cannot_be_read_cannot_be_hidden(made, table):
    with pytest.raises(InputError, match="the tile: "):
        opened(made).occlusion(table.drop(columns="isic_id").iloc[0].to_dict(), b"no tile")


def test_a_bundle_says_what_it_is_and_what_it_reads(made):
    b = opened(made)
    by_name = {c["name"]: c for c in b.columns}

    assert len(b.checksum) == 64
    assert b.operating_points[0]["threshold"] == 0.1
    assert by_name["age_approx"]["unit"] == "years"
    assert by_name["age_approx"]["members"] == ["network", "table"]
    assert by_name["sex"]["kind"] == "text"
    assert {"male", "female"} <= set(by_name["sex"]["categories"])
    assert by_name["tbp_lv_H"]["members"] == ["table"]
    assert opened(made, "image").columns == []


@pytest.mark.parametrize("kind", ["both", "image", "table"])
def test_explained_are_the_scores_and_for_the_first_of_each_patient_the_reasons(
    made, table, tiles, kind
):
    b = opened(made, kind)
    scores, reasons = b.explained(table, tiles, n=2)

    expected = b.score(table, tiles)
    pd.testing.assert_frame_equal(scores, expected)
    each = b.reasons(table, tiles)
    assert reasons == [
        of if rank <= 2 else [] for of, rank in zip(each, expected["rank"], strict=True)
    ]
