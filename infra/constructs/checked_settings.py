"""The settings, checked once when they are deployed, before a function is given them."""

from collections.abc import Mapping

from aws_cdk import CfnParameter, CustomResource, Duration, Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.constructs.labels import named

CHECKER = "CheckSettings"
SECONDS = 120  # for an answer; CloudFormation would wait an hour
LISTS = {"Models": "BedrockModels", "ModelKeys": "ModelKeys", "EmbeddingModels": "EmbeddingModels"}


class CheckedSettings(CustomResource):
    """A resource that cannot be made with settings that cannot be followed.

    Other functions wait for it, so a deployment that it fails has changed none of them.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Mapping[str, str],
        functions: Mapping[str, lambda_.Function],
    ) -> None:
        checker = functions[CHECKER]
        super().__init__(
            scope,
            id,
            service_token=checker.function_arn,
            service_timeout=Duration.seconds(SECONDS),
            properties={"Settings": dict(settings), **_lists(Stack.of(scope))},
        )
        named(self)
        # Its policies are conditional, so nothing may wait for them: the checker has patience.
        for function in functions.values():
            if function is not checker:
                function.node.add_dependency(self)


def _lists(stack: Stack) -> Mapping[str, list[str]]:
    parameters = {name: stack.node.try_find_child(child) for name, child in LISTS.items()}
    return {
        name: parameter.value_as_list
        for name, parameter in parameters.items()
        if isinstance(parameter, CfnParameter)
    }
