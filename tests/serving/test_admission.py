"""serving.admission: how many at once, how many bytes, and who."""

import asyncio

import pytest
from starlette.requests import Request

from skinlesion.serving import admission, refusal, settings

LIMITS = settings.load({"requests": 2, "body_bytes": 100, "held_bytes": 150})


def request(*pieces: bytes, **headers: str) -> Request:
    messages = [{"type": "http.request", "body": p, "more_body": True} for p in pieces]
    sent = iter([*messages, {"type": "http.request", "body": b"", "more_body": False}])
    named = [(k.lower().encode(), v.encode("latin-1")) for k, v in headers.items()]

    async def receive() -> dict:
        return next(sent)

    return Request({"type": "http", "headers": named}, receive)


def read(admitted: admission.Admitted, *pieces: bytes, **headers: str) -> bytes:
    return bytes(asyncio.run(admitted.body(request(*pieces, **headers))))


def test_a_body_is_read_whole():
    with admission.Admission(LIMITS).admit() as admitted:
        assert read(admitted, b"a" * 60, b"b" * 40) == b"a" * 60 + b"b" * 40


def test_reading_stops_at_the_limit_whatever_the_request_says_of_its_length():
    taken = []

    def pieces():
        for _ in range(1000):
            taken.append(1)
            yield b"x" * 30

    with admission.Admission(LIMITS).admit() as admitted:
        with pytest.raises(refusal.RefusalError) as error:
            asyncio.run(admitted.body(endless(pieces())))
        assert error.value.status == 413
    assert len(taken) == 4


def endless(pieces) -> Request:
    async def receive() -> dict:
        return {"type": "http.request", "body": next(pieces), "more_body": True}

    return Request({"type": "http", "headers": [(b"content-length", b"1")]}, receive)


def test_beyond_the_requests_at_once_one_is_refused_until_another_ends():
    counter = admission.Admission(LIMITS)
    with counter.admit():
        with counter.admit(), pytest.raises(refusal.RefusalError) as error, counter.admit():
            pass
        assert (error.value.status, error.value.retry_after) == (429, 1)
        with counter.admit():
            assert counter.n_requests == 2
    assert counter.n_requests == 0


def test_bytes_of_all_requests_are_counted_and_given_back_after_an_error_too():
    counter = admission.Admission(LIMITS)
    with counter.admit() as one:
        read(one, b"x" * 100)
        with pytest.raises(refusal.RefusalError) as error, counter.admit() as other:
            read(other, b"x" * 51)
        assert error.value.status == 429
        with counter.admit() as other:
            assert len(read(other, b"x" * 50)) == 50
    assert counter.n_bytes == 0


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer ", "Bearer x", "Basic " + "x" * 16, "x" * 16, "Bearer \xff"]
)
def test_a_request_without_the_token_is_refused(monkeypatch, given):
    monkeypatch.setenv("SKINLESION_TOKEN", "x" * 16)
    with pytest.raises(refusal.RefusalError) as error:
        admission.require_token(request(Authorization=given), settings.load({}))
    assert error.value.status == 401


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_a_request_with_the_token_is_let_in(monkeypatch, scheme):
    monkeypatch.setenv("SKINLESION_TOKEN", "x" * 16)

    admission.require_token(request(Authorization=f"{scheme} {'x' * 16}"), settings.load({}))
