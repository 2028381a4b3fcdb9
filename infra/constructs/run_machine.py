"""The state machine whose executions are runs, and the rule for executions that break."""

import re
from collections.abc import Mapping

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.constructs.labels import named
from infra.constructs.log_group import log_group
from infra.constructs.principals import service_principal
from infra.options import Options
from infra.repository import REPOSITORY

DEFINITION = REPOSITORY / "statemachines/run.asl.json"


def run_machine_arn(scope: Construct) -> str:
    """Return the machine's ARN, built from its name.

    Functions refer to the machine and the machine to its functions: references would be circular.
    """
    return Stack.of(scope).format_arn(
        service="states",
        resource="stateMachine",
        resource_name=_name(scope),
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )


def placeholders(definition: str) -> set[str]:
    """Return the `Name` of each `${Name}`: the functions that the machine invokes."""
    return set(re.findall(r"\$\{(\w+)\}", definition))


class RunMachine(sfn.StateMachine):
    """The machine of `statemachines/run.asl.json`; its placeholders are ids of `functions`."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        options: Options,
        *,
        functions: Mapping[str, lambda_.Function],
    ) -> None:
        definition = DEFINITION.read_text()
        arns = {name: functions[name].function_arn for name in sorted(placeholders(definition))}
        super().__init__(
            scope,
            id,
            state_machine_name=_name(scope),
            definition_body=sfn.DefinitionBody.from_string(definition),
            definition_substitutions=arns,
            role=_role(scope, id, list(arns.values())),
            logs=_logs(scope, id, options),
            tracing_enabled=options.tracing,
        )
        named(self)

    def on_broken_execution(self, function: lambda_.Function) -> None:
        """Invoke `function` for each execution that fails, times out or is aborted."""
        events.Rule(
            self,
            "BrokenExecution",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "stateMachineArn": [self.state_machine_arn],
                    "status": ["FAILED", "TIMED_OUT", "ABORTED"],
                },
            ),
            targets=[targets.LambdaFunction(function)],
        )


def _name(scope: Construct) -> str:
    return f"{Stack.of(scope).stack_name}-Run"


def _role(scope: Construct, id: str, functions: list[str]) -> iam.Role:
    role = iam.Role(scope, f"{id}Role", assumed_by=service_principal("states"))
    role.add_to_policy(iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=functions))
    return role


def _logs(scope: Construct, id: str, options: Options) -> sfn.LogOptions:
    # Log groups with this prefix need no entry in a resource policy, whose size is limited.
    name = f"/aws/vendedlogs/states/{_name(scope)}"
    log = log_group(scope, f"{id}Log", options, name=name)
    return sfn.LogOptions(destination=log, level=sfn.LogLevel.ERROR)
