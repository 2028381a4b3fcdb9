"""Log groups, kept for as long as the options say and deleted with the stack."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.constructs.encryption_key import encryption_key
from infra.options import Options


def log_group(
    scope: Construct, id: str, options: Options, *, name: str | None = None
) -> logs.LogGroup:
    return logs.LogGroup(
        scope,
        id,
        log_group_name=name,
        encryption_key=encryption_key(scope, f"{id}Key", options),
        retention=options.log_retention,
        removal_policy=RemovalPolicy.DESTROY,
    )
