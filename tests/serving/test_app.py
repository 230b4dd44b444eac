"""serving.app: the routes, as clients see them."""

import pytest
from tests.serving_bundle import tile


def test_a_lesion_is_scored(client, lesion):
    answer = client.post("/v1/lesions", **lesion(isic_id="A"))
    [found] = answer.json()["lesions"]

    assert answer.status_code == 200
    assert found["isic_id"] == "A"
    assert found["probability"] == pytest.approx(0.8)
    assert found["in_words"] == "800 in 1,000"
    assert found["operating_points"] == ["high"]


def test_the_lesions_of_a_patient_are_ranked_beside_each_other(client, patient):
    table = "isic_id,patient_id,age_approx,sex\na,P,60,male\nb,P,60,male\nc,P,,\n"
    answer = client.post("/v1/patients", **patient(table, a=tile(200), b=tile(10), c=tile(100)))

    assert [x["rank"] for x in answer.json()["lesions"]] == [3, 1, 2]


def test_a_tile_that_cannot_be_read_is_named_and_the_others_are_scored(client, patient):
    table = "isic_id,age_approx,sex\na,60,male\nb,60,male\n"
    answer = client.post("/v1/patients", **patient(table, a=tile(), b=b"damaged"))

    assert [x["unreadable"] for x in answer.json()["lesions"]] == [None, "it cannot be decoded"]


def test_where_the_network_looks_is_a_map(client, lesion):
    assert client.post("/v1/occlusion", **lesion()).json()["rows"] == 3


def test_bad_input_is_422_with_field_expected_and_found(client, lesion):
    answer = client.post("/v1/lesions", **lesion(age_approx="sixty"))

    assert answer.status_code == 422
    assert answer.json()["detail"] == [
        {
            "field": "row: age_approx",
            "expected": "a number in [0, 120] years, or nothing",
            "found": "'sixty'",
        }
    ]


def test_what_the_bundle_refuses_is_422_too(client, lesion):
    answer = client.post("/v1/lesions", **lesion(sex="refused"))

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["field"] == "lesions: sex"


def test_with_a_token_scores_and_counts_are_for_those_who_have_it(started, lesion, monkeypatch):
    monkeypatch.setenv("SKINLESION_TOKEN", "x" * 16)
    client = started()
    guarded = ["/v1/model", "/metrics"]
    headers = {"authorization": f"Bearer {'x' * 16}"}

    assert {client.get(path).status_code for path in guarded} == {401}
    assert client.post("/v1/lesions", **lesion()).status_code == 401
    assert {client.get(path, headers=headers).status_code for path in guarded} == {200}
    assert client.post("/v1/lesions", **lesion(), headers=headers).status_code == 200
    for path in ("/healthz", "/readyz", "/docs"):
        assert client.get(path).status_code == 200


def test_a_body_beyond_the_limit_is_413(started, lesion):
    answer = started(body_bytes=1000).post("/v1/lesions", **lesion(b"x" * 2000))

    assert (answer.status_code, answer.json()["detail"][0]["field"]) == (413, "body")


def test_the_schema_names_the_parts_of_each_form(client):
    paths = client.get("/openapi.json").json()["paths"]
    form = paths["/v1/patients"]["post"]["requestBody"]["content"]["multipart/form-data"]

    assert form["schema"]["required"] == ["table", "tiles"]


def test_requests_are_counted(client, lesion):
    client.post("/v1/lesions", **lesion())

    counted = client.get("/metrics")
    assert counted.headers["content-type"].startswith("text/plain")
    assert 'skinlesion_requests_total{route="/v1/lesions",status="200"} 1.0' in counted.text
