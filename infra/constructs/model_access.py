"""Access to models and keys outside the stack, limited to those that its parameters list."""

from collections.abc import Sequence

from aws_cdk import CfnCondition, CfnParameter, Fn
from aws_cdk import aws_iam as iam
from constructs import Construct

# Models, inference profiles and the like. The region may be a wildcard, as a profile sends requests
# to several.
BEDROCK_ARN = r"(arn:aws[a-z-]*:bedrock:[a-z0-9*-]+:[0-9]*:[a-z-]+/[A-Za-z0-9][A-Za-z0-9.:*/_-]*)?"
KEY_ARN = r"(arn:aws[a-z-]*:ssm:[a-z0-9-]+:[0-9]{12}:parameter(/[A-Za-z0-9_.-]+)+)?"


class ListedAccess(Construct):
    """A policy that allows `action` on the resources that a stack parameter lists, if any."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        action: str,
        pattern: str,
        description: str,
        roles: Sequence[iam.IRole],
        default: str = "",
    ) -> None:
        super().__init__(scope, f"{id}Access")
        listed = CfnParameter(
            scope,
            id,
            type="CommaDelimitedList",
            default=default,
            allowed_pattern=pattern,
            description=description,
        )
        none = Fn.condition_equals(Fn.join(",", listed.value_as_list), "")
        given = CfnCondition(self, "Given", expression=Fn.condition_not(none))
        self._policy(id, action, listed.value_as_list, roles).cfn_options.condition = given

    def _policy(
        self, name: str, action: str, resources: list[str], roles: Sequence[iam.IRole]
    ) -> iam.CfnPolicy:
        statement = iam.PolicyStatement(actions=[action], resources=resources)
        return iam.CfnPolicy(
            self,
            "Policy",
            policy_name=name,
            policy_document=iam.PolicyDocument(statements=[statement]),
            roles=[role.role_name for role in roles],
        )


def allow_models(scope: Construct, roles: Sequence[iam.IRole]) -> None:
    """Let `roles` call models of Bedrock, and read keys of models with their own endpoint."""
    ListedAccess(
        scope,
        "BedrockModels",
        action="bedrock:InvokeModelWithResponseStream",
        pattern=BEDROCK_ARN,
        description="ARNs of the Bedrock models and inference profiles that may be asked.",
        roles=roles,
    )
    ListedAccess(
        scope,
        "ModelKeys",
        action="ssm:GetParameter",
        pattern=KEY_ARN,
        description="ARNs of the SecureStrings with the keys that ASSISTANTS_MODELS names.",
        roles=roles,
    )


def allow_embeddings(scope: Construct, roles: Sequence[iam.IRole]) -> None:
    """Let `roles` call Bedrock's embedding models, by default the default model alone."""
    ListedAccess(
        scope,
        "EmbeddingModels",
        action="bedrock:InvokeModel",
        pattern=BEDROCK_ARN,
        default="arn:aws:bedrock:*::foundation-model/amazon.titan-embed-text-v2:0",
        description="ARNs of the Bedrock models that may be asked for embeddings.",
        roles=roles,
    )
