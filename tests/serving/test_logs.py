"""serving.logs: one JSON object per line, nothing of a lesion in it."""

import json
import logging

from tests import process

from skinlesion.serving import logs


def formatted(caplog) -> dict:
    return json.loads(logs.JsonLines().format(caplog.records[-1]))


def test_an_event_is_one_line_with_its_counts(caplog):
    with caplog.at_level(logging.INFO):
        logs.event("request", {"lesions": 3})

    line = logs.JsonLines().format(caplog.records[-1])
    assert "\n" not in line
    assert {"level": "info", "event": "request", "lesions": 3}.items() <= json.loads(line).items()


def test_of_a_defect_the_kind_and_the_place_are_logged_and_not_what_it_says(caplog):
    try:
        int("John Smith")
    except ValueError as error:
        logs.event("request", error=error)

    found = formatted(caplog)
    assert (found["level"], found["error"]) == ("error", "ValueError")
    assert "test_logs.py:" in found["at"]
    assert "John" not in json.dumps(found)


def test_what_libraries_log_is_json_too():
    ran = process.python(
        "from skinlesion.serving import logs; logs.start(); import logging;"
        "logging.getLogger('uvicorn.error').warning('Invalid HTTP request received.')"
    )

    assert ran.stderr == ""
    assert json.loads(ran.stdout)["event"] == "Invalid HTTP request received."
