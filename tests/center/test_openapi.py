"""The routes keep what /openapi.json promises, whatever is sent to them."""

from collections.abc import Iterator
from itertools import product

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.center.stage import GARDEN, Web, make_alert, make_clock, open_web

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
HEALTH = "/api/v1/health"  # rightly answers 503 here: no broker runs


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A centre with two leads, a quarantined message and the head signed in."""
    with open_web(tmp_path_factory.mktemp("openapi") / "centre") as web:
        box = web.stage.enrol_box()
        web.stage.hear(box.write(make_alert()).raw)
        web.stage.hear(box.write(make_alert(incident="i-2", camera=GARDEN, kind="garden.intrusion")).raw)
        web.stage.hear(box.write(make_clock()).raw)
        web.stage.hear(b"nonsense")
        web.sign_in("head")
        yield web


BOUNDED = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_a_route_answers_as_described_whatever_is_sent(centre: Web) -> None:
    described = schemathesis.openapi.from_url(f"{centre.client.base_url}/openapi.json")
    cookies = dict(centre.client.cookies)
    token = str(centre.client.headers["X-CSRF-Token"])
    statuses: set[int] = set()

    operations = [found.ok() for found in described.get_all_operations()]
    for operation, mode in product(operations, schemathesis.GenerationMode):
        if operation.path == HEALTH or operation.method.lower() == "delete":
            continue  # signing out would end the test early
        if mode is schemathesis.GenerationMode.NEGATIVE and not (operation.body or operation.query):
            continue  # nothing in it can be wrong

        @BOUNDED
        @given(case=operation.as_strategy(generation_mode=mode))
        def answer_as_described(case: schemathesis.Case) -> None:
            answer = case.call_and_validate(checks=CHECKS, headers={"X-CSRF-Token": token}, cookies=cookies)
            statuses.add(answer.status_code)

        answer_as_described()
    assert {200, 404, 422} <= statuses, "the routes were reached"


def test_every_route_under_api_is_described(centre: Web) -> None:
    paths = centre.client.get("/openapi.json").json()["paths"]
    assert len(paths) >= 17
    assert all(path.startswith("/api/v1/") for path in paths)
    for path, operations in paths.items():
        for method, operation in operations.items():
            assert operation["summary"], (method, path)
            assert operation["tags"], (method, path)
            assert operation.get("description"), (method, path)
