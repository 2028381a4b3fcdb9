"""The construct of every Lambda function: code by folder, own role, own log, shared layers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import Duration, Size
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.constructs.architecture import ARCHITECTURES
from infra.constructs.encryption_key import key_statements
from infra.constructs.grants import Grant, join_network, keep_network
from infra.constructs.labels import function_name, named, sourced
from infra.constructs.layers import RUNTIME, Layers
from infra.constructs.log_group import log_group
from infra.constructs.resources import Resources
from infra.constructs.settings import without_models
from infra.options import Options
from infra.repository import REPOSITORY


@dataclass(frozen=True)
class FunctionSpec:
    """The description of one function, whose code is `functions/<name>/handler.py`.

    `timeout` is in seconds, `memory` in MiB, `storage` in MiB of /tmp. `streams` selects the
    streaming runtime loop, `retrieval` the layer that reads and searches files. Only a function
    that `routes_models` is given the map of models. A `recursive` function may send messages to the
    queue that invokes it, more often than Lambda allows by default. `schedule` is an EventBridge
    expression such as `rate(1 minute)`.
    """

    name: str
    timeout: int
    grants: Sequence[Grant]
    memory: int = 512
    streams: bool = False
    reads_model_key: bool = False
    routes_models: bool = False
    schedule: str | None = None
    retrieval: bool = False
    recursive: bool = False
    storage: int = 512

    @property
    def id(self) -> str:
        """Return the id in templates and state machine: `CallModel` for `call_model`."""
        return self.name.title().replace("_", "")


@dataclass(frozen=True)
class Platform:
    """The layers, settings, resources and options that all functions share."""

    layers: Layers
    settings: Mapping[str, str]
    resources: Resources
    options: Options


class Function(lambda_.Function):
    """The function of `spec`. Its role allows its grants and writing its own log, nothing else."""

    def __init__(self, scope: Construct, spec: FunctionSpec, platform: Platform) -> None:
        source = f"functions/{spec.name}"
        log = log_group(scope, f"{spec.id}Log", platform.options)
        self.execution_role = _role(scope, spec, platform, log)
        super().__init__(
            scope,
            spec.id,
            function_name=function_name(scope, spec.id),
            runtime=RUNTIME,
            architecture=ARCHITECTURES[platform.options.architecture].functions,
            code=lambda_.Code.from_asset(str(REPOSITORY / source), exclude=["**/__pycache__"]),
            handler="handler.handler",
            layers=platform.layers.of(streams=spec.streams, retrieval=spec.retrieval),
            environment=_environment(spec, platform),
            memory_size=spec.memory,
            ephemeral_storage_size=Size.mebibytes(spec.storage),
            timeout=Duration.seconds(spec.timeout),
            role=self.execution_role,
            log_group=log,
            tracing=_tracing(platform.options),
            recursive_loop=lambda_.RecursiveLoop.ALLOW if spec.recursive else None,
            **_placement(spec, platform.resources),
        )
        sourced(named(self), source)
        if spec.schedule:
            self._run_on(events.Schedule.expression(spec.schedule))

    def _run_on(self, schedule: events.Schedule) -> None:
        function = targets.LambdaFunction(self)
        events.Rule(self, "Schedule", schedule=schedule, targets=[function])


def _role(scope: Construct, spec: FunctionSpec, platform: Platform, log: logs.LogGroup) -> iam.Role:
    role = iam.Role(
        scope, f"{spec.id}Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com")
    )
    log.grant_write(role)
    for grant in spec.grants:
        role.add_to_policy(grant(platform.resources))
    if not set(spec.grants) <= {join_network, keep_network}:
        for statement in key_statements(platform.options):
            role.add_to_policy(statement)
    return role


def _environment(spec: FunctionSpec, platform: Platform) -> dict[str, str]:
    settings = platform.settings
    wrapper = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/stream"} if spec.streams else {}
    return {
        **(settings if spec.routes_models else without_models(settings)),
        **platform.resources.environment,
        **wrapper,
        "POWERTOOLS_SERVICE_NAME": spec.name,
    }


def _placement(spec: FunctionSpec, resources: Resources) -> dict[str, Any]:
    placement = resources.placements.get(spec.id)
    if placement is None:
        return {}
    return {
        "vpc": placement.vpc,
        "vpc_subnets": placement.subnets,
        "security_groups": [placement.security_group],
    }


def _tracing(options: Options) -> lambda_.Tracing:
    return lambda_.Tracing.ACTIVE if options.tracing else lambda_.Tracing.DISABLED
