"""serving.service: ready, busy, in time, and for clients that are still there."""

import asyncio
import threading
import time

import pytest
from starlette.requests import ClientDisconnect, Request
from tests.process import PATIENCE
from tests.serving_bundle import Brightness, tile

from skinlesion.serving import settings
from skinlesion.serving.service import Service


def until(condition) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end


def test_a_service_is_ready_once_a_first_lesion_is_scored(started, bundle):
    bundle.free.clear()
    client = started()
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503

    bundle.free.set()
    until(lambda: client.get("/readyz").status_code == 200)


def test_a_service_whose_bundle_cannot_score_is_never_ready(started, bundle, monkeypatch):
    def fail(*_):
        raise ValueError

    monkeypatch.setattr(bundle, "score", fail)
    client = started()
    until(lambda: "skinlesion_batch_seconds_count 1.0" in client.get("/metrics").text)

    assert client.get("/readyz").status_code == 503


def test_beyond_the_requests_at_once_the_answer_is_429_at_once(started, bundle, lesion):
    client = started(requests=2)
    until(lambda: client.get("/readyz").status_code == 200)
    bundle.free.clear()
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(client.post("/v1/lesions", **lesion())))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    until(lambda: "skinlesion_requests_in_work 2.0" in client.get("/metrics").text)
    refused = client.post("/v1/lesions", **lesion())
    bundle.free.set()
    for thread in threads:
        thread.join(PATIENCE)

    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "1"
    assert [a.status_code for a in answers] == [200, 200]
    assert client.post("/v1/lesions", **lesion()).status_code == 200


def test_an_answer_that_is_not_there_in_time_is_503(started, bundle, lesion):
    client = started(seconds=0.05)
    until(lambda: client.get("/readyz").status_code == 200)
    bundle.free.clear()
    answer = client.post("/v1/lesions", **lesion())

    assert answer.status_code == 503
    assert answer.json()["detail"][0]["expected"] == "an answer within 0.05 s"
    assert "skinlesion_requests_in_work 0.0" in client.get("/metrics").text


def test_others_are_answered_while_a_patient_is_scored(started, bundle, lesion):
    client = started()
    until(lambda: client.get("/readyz").status_code == 200)
    bundle.free.clear()
    thread = threading.Thread(target=lambda: client.post("/v1/lesions", **lesion()))
    thread.start()
    until(lambda: "skinlesion_requests_in_work 1.0" in client.get("/metrics").text)

    assert client.get("/v1/model").status_code == 200
    bundle.free.set()
    thread.join(PATIENCE)


def test_a_client_that_has_gone_loses_its_turn():
    bundle = Brightness()
    service = Service(bundle, settings.load({}))
    service.start()
    until(lambda: service.is_ready)
    bundle.free.clear()

    with pytest.raises(ClientDisconnect):
        asyncio.run(service.lesion(gone_after_sending()))
    assert service.admission.n_requests == 0
    bundle.free.set()
    asyncio.run(service.stop())


def gone_after_sending() -> Request:
    """A request whose client has gone once it has sent its body."""
    disposition = 'Content-Disposition: form-data; name="{}"\r\n\r\n'
    parts = {"row": b'{"age_approx": 1, "sex": null}', "tile": tile()}
    body = b"".join(
        b"--b\r\n" + disposition.format(name).encode() + content + b"\r\n"
        for name, content in parts.items()
    )
    sent = iter([{"type": "http.request", "body": body + b"--b--"}, {"type": "http.disconnect"}])

    async def receive() -> dict:
        return next(sent)

    headers = [(b"content-type", b"multipart/form-data; boundary=b")]
    return Request({"type": "http", "headers": headers, "state": {}}, receive)
