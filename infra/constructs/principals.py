"""Services that may assume our roles, on behalf of this account alone."""

from aws_cdk import Aws
from aws_cdk import aws_iam as iam


def service_principal(service: str) -> iam.ServicePrincipal:
    """Return the principal of an AWS service, which must not act for another account.

    Step Functions and ECS document the condition. Lambda does not for its execution roles; it
    checks that whoever creates the function may pass the role.
    """
    return iam.ServicePrincipal(
        f"{service}.amazonaws.com",
        conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
    )
