"""What a function may do: each grant is one statement of its role, as narrow as IAM allows."""

from collections.abc import Callable
from dataclasses import dataclass

from aws_cdk import aws_iam as iam


@dataclass(frozen=True)
class Resources:
    """ARNs that grants speak of."""

    table: str
    bucket: str
    run_machine: str


Grant = Callable[[Resources], iam.PolicyStatement]


def use_table(resources: Resources) -> iam.PolicyStatement:
    """What the store does, in transactions or not. No Scan, which would read across tenants."""
    operations = (
        "BatchGetItem",
        "ConditionCheckItem",
        "DeleteItem",
        "GetItem",
        "PutItem",
        "Query",
    )
    return _allow([f"dynamodb:{operation}" for operation in operations], resources.table)


def use_values(resources: Resources) -> iam.PolicyStatement:
    """Values that are too large for their row of the table."""
    return _allow(["s3:GetObject", "s3:PutObject"], f"{resources.bucket}/values/*")


def start_runs(resources: Resources) -> iam.PolicyStatement:
    return _allow(["states:StartExecution"], resources.run_machine)


def resume_runs(resources: Resources) -> iam.PolicyStatement:
    """Answer the run machine's waiting task."""
    return _allow(["states:SendTaskSuccess"], resources.run_machine)


def _allow(actions: list[str], resource: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=actions, resources=[resource])
