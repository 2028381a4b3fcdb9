"""The REST API of the toy template: every kind of path part, a stream, errors of its own."""

from typing import Any


def rest_api() -> dict[str, Any]:
    """The resources of the API, by logical id."""
    return {
        "RestApi": {
            "Type": "AWS::ApiGateway::RestApi",
            "Properties": {"Name": "toy", "BinaryMediaTypes": ["multipart/form-data"]},
        },
        "Stage": {"Type": "AWS::ApiGateway::Stage", "Properties": {"StageName": "v1"}},
        "Threads": _resource("threads"),
        "Runs": _resource("runs", "Threads"),
        "Thread": _resource("{thread_id}", "Threads"),
        "Messages": _resource("messages", "Thread"),
        "Rest": _resource("{proxy+}", "Messages"),
        "Events": _resource("events"),
        "Slow": _resource("slow"),
        "SlowSleep": _resource("sleep", "Slow"),
        "ThreadsGet": _method("Threads", "Api", "GET"),
        "ThreadAny": _method("Thread", "Api"),
        "RunsAny": _method("Runs", "Stream", streams=True),
        "RestAny": _method("Rest", "Api"),
        "EventsAny": _method("Events", "Stream", streams=True),
        "SlowAny": _method("SlowSleep", "Api", timeout=300),
        "NotFoundError": _gateway_response(
            "MISSING_AUTHENTICATION_TOKEN",
            '{"error": "Invalid URL ($context.httpMethod $context.path)"}',
            "404",
        ),
        "Broke": _gateway_response("DEFAULT_5XX", '{"error": $context.error.messageString}'),
    }


def _resource(part: str, parent: str | None = None) -> dict[str, Any]:
    above = {"Ref": parent} if parent else {"Fn::GetAtt": ["RestApi", "RootResourceId"]}
    return {
        "Type": "AWS::ApiGateway::Resource",
        "Properties": {"ParentId": above, "PathPart": part, "RestApiId": {"Ref": "RestApi"}},
    }


def _method(
    resource: str, target: str, method: str = "ANY", *, streams: bool = False, timeout: int = 0
) -> dict[str, Any]:
    arn = {"Fn::GetAtt": [target, "Arn"]}
    return {
        "Type": "AWS::ApiGateway::Method",
        "Properties": {
            "AuthorizationType": "NONE",
            "HttpMethod": method,
            "ResourceId": {"Ref": resource},
            "RestApiId": {"Ref": "RestApi"},
            "Integration": {
                "Type": "AWS_PROXY",
                "IntegrationHttpMethod": "POST",
                "Uri": {"Fn::Join": ["", ["arn:aws:apigateway:us-east-1:lambda:path/", arn]]},
                **({"ResponseTransferMode": "STREAM"} if streams else {}),
                **({"TimeoutInMillis": timeout} if timeout else {}),
            },
        },
    }


def _gateway_response(kind: str, template: str, status: str | None = None) -> dict[str, Any]:
    return {
        "Type": "AWS::ApiGateway::GatewayResponse",
        "Properties": {
            "RestApiId": {"Ref": "RestApi"},
            "ResponseType": kind,
            "ResponseParameters": {"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
            "ResponseTemplates": {"application/json": template},
            **({"StatusCode": status} if status else {}),
        },
    }
