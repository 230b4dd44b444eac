"""serving.observing: headers, one line in the log, and an end to a defect."""

import json
import logging

import pytest

from skinlesion.serving import logs, observing


@pytest.mark.parametrize("path", ["/", "/v1/model", "/v1/lesions", "/docs", "/nowhere", "/metrics"])
def test_every_answer_has_the_headers_of_security(client, path):
    found = client.get(path).headers

    assert {name: found[name] for name in observing.HEADERS} == observing.HEADERS
    assert "server" not in found


def test_the_policy_lets_no_inline_script_and_no_other_origin_in():
    policy = observing.HEADERS["content-security-policy"]

    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "http" not in policy


def test_no_answer_of_the_interface_is_kept_by_a_browser(client, lesion):
    assert client.post("/v1/lesions", **lesion()).headers["cache-control"] == "no-store"


def test_a_request_is_a_line_of_counts_and_times_and_nothing_that_was_sent(client, patient, caplog):
    with caplog.at_level(logging.INFO, "skinlesion"):
        table = "isic_id,patient_id,age_approx,sex\nISIC_7,Jane_Doe,61.25,female\n"
        client.post("/v1/patients?name=Jane_Doe", **patient(table, ISIC_7=b"not a tile"))
    lines = [logs.JsonLines().format(record) for record in caplog.records]
    [line] = [json.loads(line) for line in lines if "/v1/patients" in line]

    assert (line["route"], line["status"], line["lesions"]) == ("/v1/patients", 200, 1)
    assert line["bytes"] > 100
    assert line["seconds"] > 0
    for secret in ("ISIC_7", "Jane", "61.25", "female"):
        assert not any(secret in line for line in lines)


def test_a_defect_is_answered_without_what_it_says_and_logged_without_it_too(
    client, lesion, caplog
):
    answer = client.post("/v1/lesions", **lesion(sex="defect"))
    lines = "\n".join(logs.JsonLines().format(record) for record in caplog.records)

    assert answer.status_code == 500
    assert answer.json()["detail"][0]["field"] == "service"
    assert "serving_bundle.py:" in lines
    assert '"error": "KeyError"' in lines
    for text in (answer.text, lines):
        assert "John" not in text
        assert "Traceback" not in text
    assert "/" not in answer.text


def test_an_address_that_is_no_route_does_not_get_into_the_log(client, caplog):
    with caplog.at_level(logging.INFO, "skinlesion"):
        client.get("/patients/Jane_Doe")

    assert "Jane" not in caplog.text
    assert caplog.records[-1].fields["route"] == "other"
