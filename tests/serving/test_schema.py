"""serving.app: requests drawn from its schema get answers that the schema has, and no 5xx."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import checks
from tests.serving_bundle import Brightness

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
OPERATIONS = [
    *[("POST", "/v1/lesions"), ("POST", "/v1/patients"), ("POST", "/v1/occlusion")],
    *[("GET", "/v1/model"), ("GET", "/healthz"), ("GET", "/metrics")],
]


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_nothing_that_the_schema_lets_one_send_is_a_defect(method, path, data):
    case = data.draw(SCHEMA[path][method].as_strategy())
    case.call_and_validate(checks=HELD)
