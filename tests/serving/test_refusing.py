"""serving.refusing: one schema for every refusal."""

import pytest

from skinlesion.serving import refusal, refusing


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/v1/lesions", 405),
        ("DELETE", "/v1/model", 405),
        ("POST", "/v1/lesions", 422),
        ("GET", "/../../etc/passwd", 404),
    ],
)
def test_a_refusal_has_the_one_schema(client, method, path, status):
    answer = client.request(method, path)

    assert answer.status_code == status
    refusal.Refused.model_validate(answer.json(), strict=True)
    if status == 405:
        assert answer.headers["allow"]


def test_a_refusal_says_when_to_come_again():
    answer = refusing.answer(refusal.one(429, "request", "fewer", "many", retry_after=3))

    assert answer.headers["retry-after"] == "3"


def test_a_refused_token_says_which_scheme_is_asked_for():
    answer = refusing.answer(refusal.one(401, "Authorization", "a token", "none"))

    assert answer.headers["www-authenticate"] == "Bearer"
