"""The description of the collector is whole and true: every route is in it, and nothing undeclared is ever answered."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from collector.running import PRODUCT, SHOP, Running, running
from desireline.faces.collector import ROUTES, Source
from desireline.faces.collector.answers import REFUSALS
from desireline.faces.collector.openapi import describe
from faults.forms import how_many

SCHEMA = schemathesis.openapi.from_dict(describe())
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    allow_header_conformance,
    unsupported_method,
)
HOOK = Source("desk", "webhook", "desk-key", unsigned=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("described"), sources=(SHOP, PRODUCT, HOOK)) as server:
        yield server


def test_every_route_and_method_is_described() -> None:
    paths = describe()["paths"]
    assert {path: {method.upper() for method in item} for path, item in paths.items()} == {
        route.path: {*route.methods, "OPTIONS"} for route in ROUTES
    }


def test_every_refusal_is_described_with_its_status() -> None:
    described = describe()
    for code, refusal in REFUSALS.items():
        assert f"`{code}` ({refusal.status})" in described["info"]["description"]
        assert str(refusal.status) in described["paths"]["/v1/track"]["post"]["responses"], code


def test_the_description_is_served_as_it_is_written(server: Running) -> None:
    assert server.ask("GET", "/openapi.json").json == describe()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_whatever_is_asked_is_answered_as_described(operation: Any, server: Running) -> None:
    @given(case=operation.as_strategy())
    @settings(max_examples=how_many(3, 200), deadline=None, suppress_health_check=list(HealthCheck))
    def ask(case: schemathesis.Case) -> None:
        if case.path_parameters and case.path_parameters.get("key") and case.method != "OPTIONS":
            case.path_parameters["key"] = "desk-key" if "hooks" in case.path else "shop-key"
        try:
            case.call_and_validate(
                base_url=f"http://127.0.0.1:{server.port}", headers={"authorization": "Bearer shop-key"}, checks=CHECKS
            )
        except http.client.HTTPException:
            pytest.fail("the connection was dropped without an answer")

    ask()


def test_what_was_asked_was_taken_as_well_as_refused(server: Running) -> None:
    requests = server.collector.counters.requests
    for dialect in ("segment", "posthog", "cloudevents"):
        assert requests.get((dialect, 200), 0) > 0, requests
    assert server.log.last >= requests[("segment", 200)]
    assert server.collector.counters.faults == 0
