"""Every route against the document that the service publishes: whatever is sent, the answer has a
declared form and is never an error of ours.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from assistants.http.route import Route
from assistants.http.routes import ROUTES
from tests.support.deployment import WEATHER
from tests.support.fakes import Script
from tests.support.file_search_deployment import FileSearchDeployment

KEY = "Bearer sk-test"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
GREETING: Script = ["Hello"]

folder = TemporaryDirectory()
deployment = FileSearchDeployment(Path(folder.name), *[GREETING] * 10_000)
run = deployment.run()
file_id = deployment.file()
vector_store_id = deployment.vector_store(file_id)
batches = deployment.url(vector_store_id, "file_batches")
deployment.ingest()
known = {
    "assistant_id": deployment.assistant(tools=[WEATHER]),
    "thread_id": run["thread_id"],
    "run_id": run["id"],
    "file_id": file_id,
    "vector_store_id": vector_store_id,
    "batch_id": deployment.api.post(batches, {"file_ids": [file_id]})["id"],
    "model": "demo",
}
schema = schemathesis.openapi.from_asgi("/openapi.json", deployment.app)


@schema.hook
def map_path_parameters(
    context: schemathesis.HookContext, path_parameters: dict[str, str] | None
) -> dict[str, str] | None:
    """Let half of the requested objects exist, so that the use cases are reached, too."""
    if not path_parameters:
        return path_parameters
    return {
        name: known.get(name, value) if len(str(value)) % 2 else value
        for name, value in path_parameters.items()
    }


@schema.parametrize()
@settings(max_examples=20, derandomize=True, suppress_health_check=list(HealthCheck))
def test_any_request_gets_a_declared_answer(case: schemathesis.Case[Any]) -> None:
    headers = {"Authorization": KEY, "OpenAI-Beta": "assistants=v2"}
    case.call_and_validate(headers=headers, checks=CHECKS)


def test_the_document_holds_every_route_and_no_other() -> None:
    document = deployment.api.get("/openapi.json")
    described = {
        (method.upper(), path) for path, item in document["paths"].items() for method in item
    }
    assert described == {(route.method, route.path) for route in ROUTES}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_operation_describes_its_errors(route: Route) -> None:
    document = deployment.api.get("/openapi.json")
    operation = document["paths"][route.path][route.method.lower()]
    error = operation["responses"]["default"]["content"]["application/json"]["schema"]
    assert error == {"$ref": "#/components/schemas/Error"}
