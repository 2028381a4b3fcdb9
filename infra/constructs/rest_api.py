"""The REST API, generated from the routes of the application."""

from aws_cdk import Aws, Duration, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from assistants.http.routes import ROUTES
from infra.constructs.gateway_errors import add_gateway_errors
from infra.constructs.labels import named
from infra.constructs.log_group import log_group
from infra.options import Options

STAGE = "v1"


class RestApi(apigateway.RestApi):
    """A resource with an ANY method for each path; paths of streaming routes invoke `stream`.

    The application checks API keys and answers OPTIONS itself. Other paths reach it by `{proxy+}`,
    as far as API Gateway's matching allows.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        options: Options,
        *,
        api: lambda_.Function,
        stream: lambda_.Function,
    ) -> None:
        super().__init__(
            scope,
            id,
            rest_api_name=Stack.of(scope).stack_name,
            # An edge-optimized endpoint would cut a stream after 30 silent seconds.
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            binary_media_types=["multipart/form-data"],
            cloud_watch_role=options.access_log,
            deploy_options=_stage(scope, options),
        )
        named(self)
        self.node.try_remove_child("Endpoint")
        add_gateway_errors(self)
        self._add_nodes(_buffered(api), _streamed(stream))

    @property
    def base_url(self) -> str:
        """Return the URL of the stage, without a trailing slash, as clients' `base_url`."""
        return f"https://{self.rest_api_id}.execute-api.{Aws.REGION}.{Aws.URL_SUFFIX}/{STAGE}"

    def _add_nodes(
        self, buffered: apigateway.LambdaIntegration, streamed: apigateway.LambdaIntegration
    ) -> None:
        streams = {route.path for route in ROUTES if route.streams}
        for path in sorted({route.path for route in ROUTES}):
            node = self.root.resource_for_path(path)
            node.add_method("ANY", streamed if path in streams else buffered)
        self.root.add_resource("{proxy+}").add_method("ANY", buffered)


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
    log = log_group(scope, "AccessLog", options) if options.access_log else None
    return apigateway.StageOptions(
        stage_name=STAGE,
        throttling_rate_limit=options.throttle_rate,
        throttling_burst_limit=options.throttle_burst,
        tracing_enabled=options.tracing,
        access_log_destination=apigateway.LogGroupLogDestination(log) if log else None,
        access_log_format=_access_line() if log else None,
    )


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
