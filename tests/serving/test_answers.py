"""serving.answers: what the bundle says, as JSON that holds to its schema."""

import json

import numpy as np
import pandas as pd
import pytest
from tests.serving_bundle import Brightness, tile

from skinlesion.serving import answers, settings
from skinlesion.serving.lesions import Lesions
from skinlesion.serving.scorer import Scored


def answered(*greys: int | None, why: list | None = None, **changes: object) -> dict:
    names = [f"L{i}" for i in range(len(greys))]
    table = pd.DataFrame({"isic_id": names, "patient_id": "P", "age_approx": np.nan, "sex": "x"})
    tiles = {n: tile(g) for n, g in zip(names, greys, strict=True) if g is not None}
    bundle, given = Brightness(), Lesions(table, tiles, ["watch out"])
    scores, reasons = bundle.explained(table, tiles, n=9)
    scored = Scored(scores.assign(**changes), why or reasons)
    found = json.loads(answers.scores(given, scored, bundle))
    answers.Answer.model_validate(found, strict=True)
    return found


def test_an_answer_says_which_bundle_gave_it_and_what_to_watch_out_for():
    found = answered(51)

    assert found["bundle"] == {"version": "1.2.3", "checksum": "ab" * 32}
    assert found["warnings"] == ["watch out"]


def test_lesions_are_in_the_order_of_the_request_with_their_rank():
    found = answered(200, 51, 100)["lesions"]

    assert [(x["isic_id"], x["rank"], x["n_lesions"]) for x in found] == [
        *[("L0", 3, 3), ("L1", 1, 3), ("L2", 2, 3)]
    ]


def test_an_operating_point_is_passed_at_its_threshold():
    found = answered(51, 51, probability=[0.5, np.nextafter(0.5, 0)])["lesions"]

    assert [x["operating_points"] for x in found] == [["high"], []]


def test_a_lesion_whose_tile_cannot_be_read_has_the_reason():
    assert answered(51, None)["lesions"][1]["unreadable"] == "it has no tile"


def test_a_lesion_without_probability_is_unknown():
    [lesion] = answered(51, probability=np.nan, network=np.nan, rank=np.nan)["lesions"]

    assert lesion["probability"] is None
    assert lesion["rank"] is None
    assert lesion["in_words"] == "unknown"
    assert lesion["operating_points"] == []
    assert lesion["members"] == {"network": None, "table": pytest.approx(0.8)}


def test_marks_of_shift_are_a_list():
    found = answered(51, 51, shift=["", "older than all; another camera"])["lesions"]

    assert [x["shift"] for x in found] == [[], ["older than all", "another camera"]]


def test_a_value_that_is_missing_is_null():
    [lesion] = answered(51)["lesions"]

    assert lesion["reasons"][0]["value"] is None
    assert lesion["uncertainty"] is None


def test_the_four_strongest_reasons_for_and_against_are_kept_in_their_order():
    given = [
        {"feature": "f", "label": "f", "value": 1.0, "contribution": c} for c in range(9, -9, -1)
    ]
    [lesion] = answered(51, why=[given])["lesions"]

    assert [r["contribution"] for r in lesion["reasons"]] == [9, 8, 7, 6, 0, -1, -2, -3]


def test_the_model_has_its_columns_and_the_limits_of_the_service():
    found = json.loads(answers.model(Brightness(), settings.load({"tiles": 7})))
    answers.Model.model_validate(found, strict=True)

    assert found["limits"]["tiles"] == 7
    assert found["columns"] == Brightness.columns
    assert found["look_budget"] == Brightness.card["look_budget"]


def test_an_occlusion_map_has_a_row_per_row_of_patches():
    found = json.loads(answers.occlusion(np.arange(6, dtype=np.float32).reshape(2, 3)))

    assert found == {"rows": 2, "columns": 3, "drop": [[0, 1, 2], [3, 4, 5]]}
