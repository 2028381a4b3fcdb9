"""The REST API, generated from the routes of the application."""

from collections.abc import Iterable

from aws_cdk import Aws, Duration, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from assistants.http.routes import Route
from infra.constructs.gateway_errors import add_gateway_errors
from infra.constructs.labels import named
from infra.options import Options

STAGE = "v1"


class RestApi(Construct):
    """A node of any method for each path; those of a route that streams go to `stream`.

    The application checks keys and answers OPTIONS itself. Paths beside the routes reach it, too,
    where the gateway's matching lets them.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        options: Options,
        *,
        routes: Iterable[Route],
        api: lambda_.Function,
        stream: lambda_.Function,
    ) -> None:
        super().__init__(scope, id)
        routes = list(routes)
        gateway = named(
            apigateway.RestApi(
                scope,
                "RestApi",
                rest_api_name=Stack.of(self).stack_name,
                # An edge-optimized endpoint would cut a stream after 30 silent seconds.
                endpoint_types=[apigateway.EndpointType.REGIONAL],
                binary_media_types=["multipart/form-data"],
                cloud_watch_role=options.access_log,
                deploy_options=_stage(self, options),
            )
        )
        gateway.node.try_remove_child("Endpoint")
        add_gateway_errors(gateway)
        buffered, streamed = _buffered(api), _streamed(stream)
        streams = {route.path for route in routes if route.streams}
        for path in sorted({route.path for route in routes}):
            node = gateway.root.resource_for_path(path)
            node.add_method("ANY", streamed if path in streams else buffered)
        gateway.root.add_resource("{proxy+}").add_method("ANY", buffered)
        self.url = (
            f"https://{gateway.rest_api_id}.execute-api.{Aws.REGION}.{Aws.URL_SUFFIX}/{STAGE}"
        )


def _buffered(function: lambda_.Function) -> apigateway.LambdaIntegration:
    return apigateway.LambdaIntegration(function, scope_permission_to_method=False)


def _streamed(function: lambda_.Function) -> apigateway.LambdaIntegration:
    return apigateway.LambdaIntegration(
        function,
        scope_permission_to_method=False,
        response_transfer_mode=apigateway.ResponseTransferMode.STREAM,
        timeout=Duration.minutes(15),
    )


def _stage(scope: Construct, options: Options) -> apigateway.StageOptions:
    return apigateway.StageOptions(
        stage_name=STAGE,
        throttling_rate_limit=options.throttle_rate,
        throttling_burst_limit=options.throttle_burst,
        tracing_enabled=options.tracing,
        access_log_destination=_access_log(scope, options) if options.access_log else None,
        access_log_format=_access_line() if options.access_log else None,
    )


def _access_log(scope: Construct, options: Options) -> apigateway.LogGroupLogDestination:
    log = logs.LogGroup(
        scope,
        "AccessLog",
        retention=options.log_retention,
        removal_policy=RemovalPolicy.DESTROY,
    )
    return apigateway.LogGroupLogDestination(log)


def _access_line() -> apigateway.AccessLogFormat:
    return apigateway.AccessLogFormat.json_with_standard_fields(
        caller=False,
        http_method=True,
        ip=True,
        protocol=True,
        request_time=True,
        resource_path=True,
        response_length=True,
        status=True,
        user=False,
    )
