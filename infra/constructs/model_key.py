"""Access to the key of a model provider, for the functions that need it, if there is a key."""

from collections.abc import Sequence

from aws_cdk import CfnCondition, Fn, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct


class KeyPolicy(Construct):
    """A policy for the one SSM parameter that `reference` (`ssm:/name`, or empty) names.

    SSM's default key decrypts for everyone who may read the parameter; a customer managed key must
    admit these roles in its own policy.
    """

    def __init__(
        self, scope: Construct, id: str, *, reference: str, readers: Sequence[iam.IRole]
    ) -> None:
        super().__init__(scope, f"{id}Policy")
        given = CfnCondition(
            self, "Given", expression=Fn.condition_not(Fn.condition_equals(reference, ""))
        )
        name = Fn.select(1, Fn.split("ssm:/", reference))
        parameter = Stack.of(self).format_arn(
            service="ssm", resource="parameter", resource_name=name
        )
        policy = iam.CfnPolicy(
            self,
            "Policy",
            policy_name=f"Read{id}",
            policy_document=iam.PolicyDocument(
                statements=[
                    iam.PolicyStatement(actions=["ssm:GetParameter"], resources=[parameter])
                ]
            ),
            roles=[reader.role_name for reader in readers],
        )
        policy.cfn_options.condition = given
