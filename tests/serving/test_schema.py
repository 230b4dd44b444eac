"""serving.app: requests drawn from its schema get answers that the schema has, and no 5xx."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks
from tests.serving_bundle import Brightness, tile

from skinlesion.serving import app
from skinlesion.serving import settings as service_settings

SCHEMA = schemathesis.openapi.from_asgi(
    "/openapi.json", app.create(Brightness(), service_settings.load({}))
)
checks.load_all_checks()
HELD = [
    checks.CHECKS.get_one(name)
    for name in (
        *("not_a_server_error", "status_code_conformance", "content_type_conformance"),
        "response_schema_conformance",
    )
]
TILES = st.sampled_from([tile(), tile(size=(3000, 3000)), b"", tile()[:40]])
schemathesis.openapi.format("binary", TILES | st.binary(max_size=99))
OPERATIONS = [
    *[("POST", "/v1/lesions"), ("POST", "/v1/patients"), ("POST", "/v1/occlusion")],
    *[("GET", "/v1/model"), ("GET", "/healthz"), ("GET", "/metrics")],
]
DRAWN = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def statuses(method: str, path: str, mode: GenerationMode = GenerationMode.POSITIVE) -> set[int]:
    """Send what the schema lets one send, or does not; check the answers."""
    found = set()

    @DRAWN
    @given(case=SCHEMA[path][method].as_strategy(generation_mode=mode))
    def send(case):
        found.add(case.call_and_validate(checks=HELD).status_code)

    send()
    return found


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_nothing_that_the_schema_lets_one_send_is_a_defect(method, path):
    found = statuses(method, path)

    assert found <= ({200, 413, 422} if method == "POST" else {200})


@pytest.mark.parametrize("path", ["/v1/lesions", "/v1/occlusion"])
def test_what_the_schema_asks_for_is_scored(path):
    assert 200 in statuses("POST", path)


@pytest.mark.parametrize("path", ["/v1/lesions", "/v1/patients"])
def test_nothing_that_the_schema_forbids_is_a_defect(path):
    assert statuses("POST", path, GenerationMode.NEGATIVE) <= {200, 413, 422}
