"""The REST API is the application's route table, in API Gateway's terms."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template as Assertions

from assistants.http.routes import ROUTES
from infra.constructs.rest_api import RestApi
from infra.options import Options
from tests.infra.template import Template, app_with

PATHS = sorted({route.path for route in ROUTES})
STREAMED = {route.path for route in ROUTES if route.streams}


def methods(service: Template) -> Mapping[str, Mapping[str, Any]]:
    """Return the methods by the path of their resource."""
    resources = service.of_type("ApiGateway::Resource")

    def path(reference: Mapping[str, Any]) -> str:
        if reference.get("Ref") not in resources:
            return ""
        node = resources[reference["Ref"]]
        return f"{path(node['ParentId'])}/{node['PathPart']}"

    found = service.of_type("ApiGateway::Method").values()
    return {path(method["ResourceId"]): method for method in found}


def uri(method: Mapping[str, Any]) -> str:
    return json.dumps(method["Integration"]["Uri"])


def test_each_path_is_a_node_of_any_method_and_unknown_paths_reach_the_application(
    service: Template,
) -> None:
    assert sorted(methods(service)) == sorted([*PATHS, "/{proxy+}"])
    assert {method["HttpMethod"] for method in methods(service).values()} == {"ANY"}


@pytest.mark.parametrize("path", PATHS)
def test_a_path_streams_if_one_of_its_routes_does(service: Template, path: str) -> None:
    integration = methods(service)[path]["Integration"]
    streams = path in STREAMED
    function = "Stream" if streams else "Api"
    assert f'"Fn::GetAtt": ["{function}", "Arn"]' in uri(methods(service)[path])
    assert ("/response-streaming-invocations" in uri(methods(service)[path])) is streams
    assert integration.get("ResponseTransferMode") == ("STREAM" if streams else None)
    assert integration.get("TimeoutInMillis") == (900_000 if streams else None)


def test_the_gateway_asks_for_no_key_as_the_application_does(service: Template) -> None:
    for method in methods(service).values():
        assert method["AuthorizationType"] == "NONE"
        assert "ApiKeyRequired" not in method


def test_one_permission_a_function_keeps_its_policy_below_the_limit(service: Template) -> None:
    permissions = service.of_type("Lambda::Permission").values()
    by_gateway = [one for one in permissions if one["Principal"] == "apigateway.amazonaws.com"]
    assert sorted(one["FunctionName"]["Fn::GetAtt"][0] for one in by_gateway) == ["Api", "Stream"]


def test_the_endpoint_is_regional_and_its_stage_is_the_version(service: Template) -> None:
    gateway = service.only("ApiGateway::RestApi")
    assert gateway["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert gateway["BinaryMediaTypes"] == ["multipart/form-data"]
    assert service.only("ApiGateway::Stage")["StageName"] == "v1"
    url = service.body["Outputs"]["BaseUrl"]["Value"]["Fn::Join"][1]
    assert url[0] == "https://"
    assert url[-1] == "/v1"


def test_the_access_log_names_no_key_and_no_object(service: Template) -> None:
    line = json.loads(service.only("ApiGateway::Stage")["AccessLogSetting"]["Format"])
    assert line["resourcePath"] == "$context.resourcePath"
    assert not {"$context.path", "$context.authorizer.principalId"} & set(line.values())


ERRORS = {
    "DEFAULT_4XX": (None, "invalid_request_error", None),
    "DEFAULT_5XX": (None, "server_error", None),
    "MISSING_AUTHENTICATION_TOKEN": ("404", "invalid_request_error", None),
    "RESOURCE_NOT_FOUND": ("404", "invalid_request_error", None),
    "REQUEST_TOO_LARGE": ("413", "invalid_request_error", None),
    "THROTTLED": ("429", "rate_limit_error", "rate_limit_exceeded"),
}


def rendered(template: str) -> Any:
    """Render a template as the gateway does: context values put in, and nothing else."""
    context = {
        "$context.error.messageString": '"Too Many Requests"',
        "$context.httpMethod": "GET",
        "$context.path": "/v1/nowhere",
    }
    for variable, value in context.items():
        template = template.replace(variable, value)
    assert "$" not in template
    return json.loads(template)


@pytest.mark.parametrize("kind", ERRORS)
def test_an_error_of_the_gateway_has_the_envelope(service: Template, kind: str) -> None:
    responses = service.of_type("ApiGateway::GatewayResponse").values()
    (response,) = (one for one in responses if one["ResponseType"] == kind)
    status, type, code = ERRORS[kind]
    error = rendered(response["ResponseTemplates"]["application/json"])["error"]
    assert response.get("StatusCode") == status
    assert error.keys() == {"message", "type", "param", "code"}
    assert (error["type"], error["param"], error["code"]) == (type, None, code)


def test_an_unknown_path_is_named_in_openais_words(service: Template) -> None:
    responses = service.of_type("ApiGateway::GatewayResponse").values()
    (response,) = (
        one for one in responses if one["ResponseType"] == "MISSING_AUTHENTICATION_TOKEN"
    )
    envelope = rendered(response["ResponseTemplates"]["application/json"])
    assert envelope["error"]["message"] == "Invalid URL (GET /v1/nowhere)"


def test_the_refusal_of_a_large_request_names_the_two_ways_out(service: Template) -> None:
    responses = service.of_type("ApiGateway::GatewayResponse").values()
    (response,) = (one for one in responses if one["ResponseType"] == "REQUEST_TOO_LARGE")
    message = rendered(response["ResponseTemplates"]["application/json"])["error"]["message"]
    assert "upload_file_chunked" in message
    assert "examples/large_files" in message


def test_a_browser_may_read_the_gateways_errors(service: Template) -> None:
    for response in service.of_type("ApiGateway::GatewayResponse").values():
        origin = response["ResponseParameters"][
            "gatewayresponse.header.Access-Control-Allow-Origin"
        ]
        assert origin == "'*'"


def gateway_with(**context: Any) -> Assertions:
    app = app_with(**context)
    stack = Stack(app, "Service")
    function = lambda_.Function(
        stack,
        "Function",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="handler.handler",
        code=lambda_.Code.from_inline("def handler(event, context): ..."),
    )
    RestApi(stack, "RestApi", Options.of(app), api=function, stream=function)
    return Assertions.from_stack(stack)


def test_a_stranger_cannot_use_up_the_account(service: Template) -> None:
    (setting,) = service.only("ApiGateway::Stage")["MethodSettings"]
    assert (setting["ResourcePath"], setting["HttpMethod"]) == ("/*", "*")
    assert (setting["ThrottlingRateLimit"], setting["ThrottlingBurstLimit"]) == (50, 100)


def test_the_throttle_is_an_option() -> None:
    (setting,) = (
        stage["Properties"]["MethodSettings"]
        for stage in gateway_with(throttle_rate="0.5", throttle_burst="2000")
        .find_resources("AWS::ApiGateway::Stage")
        .values()
    )
    assert setting == [
        {
            "DataTraceEnabled": False,
            "HttpMethod": "*",
            "ResourcePath": "/*",
            "ThrottlingBurstLimit": 2000,
            "ThrottlingRateLimit": 0.5,
        }
    ]


def test_without_an_access_log_the_accounts_log_role_is_left_alone() -> None:
    gateway = gateway_with(access_log="false")
    gateway.resource_count_is("AWS::ApiGateway::Account", 0)
    gateway.resource_count_is("AWS::Logs::LogGroup", 0)
