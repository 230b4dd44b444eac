"""A service with a bundle as stage `export` writes it: answers are the scores of its runtime."""

import json

import pandas as pd
import pytest
from starlette.testclient import TestClient
from tests.bundle.conftest import made, table, tiles  # noqa: F401 (fixtures)

from skinlesion.bundle import runtime
from skinlesion.dataset import metadata
from skinlesion.serving import app, settings


@pytest.fixture(scope="module")
def opened(made):  # noqa: F811
    return runtime.open(made / "both")


@pytest.fixture(scope="module")
def client(opened):
    with TestClient(app.create(opened, settings.load({"explained": 2}))) as client:
        yield client


@pytest.fixture(scope="module")
def patient(table) -> pd.DataFrame:  # noqa: F811
    """The patient with most lesions."""
    return table[table["patient_id"] == table["patient_id"].mode()[0]].reset_index(drop=True)


def sent(client, lesions: pd.DataFrame, tiles) -> list[dict]:  # noqa: F811
    """Send a patient as a browser does; return the lesions of the answer."""
    files = [("tiles", (f"{i}.jpg", tiles[i])) for i in lesions["isic_id"] if i in tiles]
    csv = ("table", ("table.csv", lesions.to_csv(index=False)))
    answer = client.post("/v1/patients", files=[csv, *files])
    assert answer.status_code == 200, answer.text
    return answer.json()["lesions"]


def test_a_patient_gets_the_scores_and_ranks_of_the_runtime(client, opened, patient, tiles):  # noqa: F811
    expected = opened.score(patient, tiles)
    found = sent(client, patient, tiles)

    for name in ("probability", "rank", "n_lesions"):
        assert [x[name] for x in found] == pytest.approx(expected[name].tolist(), rel=1e-9)
    assert [x["members"]["table"] for x in found] == pytest.approx(expected["table"].tolist())
    assert sum(bool(x["reasons"]) for x in found) == 2


def test_a_lesion_gets_the_score_that_it_has_alone(client, opened, patient, tiles):  # noqa: F811
    lesion = patient.iloc[[0]]
    row = lesion[[c["name"] for c in opened.columns]].iloc[0]
    given = json.dumps({k: None if pd.isna(v) else v for k, v in row.items()}, default=float)
    form = {"files": {"tile": tiles[lesion["isic_id"].item()]}, "data": {"row": given}}
    [found] = client.post("/v1/lesions", **form).json()["lesions"]

    expected = opened.score(lesion, tiles)["probability"].item()
    assert found["probability"] == pytest.approx(expected, rel=1e-9)
    assert (found["rank"], found["n_lesions"]) == (1, 1)

    drop = client.post("/v1/occlusion", **form).json()
    assert drop["rows"] == drop["columns"] == len(drop["drop"]) > 1


def test_lesions_whose_tiles_are_damaged_or_absent_are_scored_with_the_reason(
    client,
    opened,
    patient,
    tiles,  # noqa: F811
):
    first, second = patient["isic_id"][:2]
    some = {i: tile for i, tile in tiles.items() if i != first} | {second: b"\xff\xd8damaged"}
    found = sent(client, patient, some)

    assert [bool(x["unreadable"]) for x in found[:3]] == [True, True, False]
    expected = opened.score(patient, some)["probability"]
    assert [x["probability"] for x in found] == pytest.approx(expected.tolist(), rel=1e-9)


def test_the_model_says_what_the_bundle_says(client, opened):
    found = client.get("/v1/model").json()

    assert found["columns"] == json.loads(json.dumps(opened.columns))
    assert found["checksum"] == opened.checksum
    assert found["card"]["name"] == found["name"] == opened.card["name"]


def test_what_the_models_read_is_asked_for_by_name(client, patient, tiles):  # noqa: F811
    lacking = patient.drop(columns="tbp_lv_H").to_csv(index=False)
    tile = ("tiles", ("a.jpg", tiles[patient["isic_id"][0]]))
    answer = client.post("/v1/patients", files=[("table", ("t.csv", lacking)), tile])

    assert answer.status_code == 422
    assert [d["field"] for d in answer.json()["detail"]] == ["table: tbp_lv_H"]
    assert metadata.NUMERIC["tbp_lv_H"].unit in answer.json()["detail"][0]["expected"]
