"""Whether the roles of the template allow the calls that functions really make."""

from collections.abc import Iterator
from typing import Any

from infra.local import LocalStack

# What an operation needs where it is not called as its permission is, by the service's reference:
# https://docs.aws.amazon.com/service-authorization/latest/reference/
NEEDS = {
    "dynamodb:TransactGetItems": ("dynamodb:GetItem",),
    "dynamodb:TransactWriteItems": (
        "dynamodb:ConditionCheckItem",
        "dynamodb:DeleteItem",
        "dynamodb:PutItem",
    ),
    "lambda:Invoke": ("lambda:InvokeFunction",),
    "s3:CompleteMultipartUpload": ("s3:PutObject",),
    "s3:CopyObject": ("s3:GetObject", "s3:PutObject"),
    "s3:CreateMultipartUpload": ("s3:PutObject",),
    "s3:DeleteObjects": ("s3:DeleteObject",),
    "s3:HeadObject": ("s3:GetObject",),
    "s3:ListObjectsV2": ("s3:ListBucket",),
    "s3:UploadPart": ("s3:PutObject",),
    "s3:UploadPartCopy": ("s3:GetObject", "s3:PutObject"),
    "sqs:SendMessageBatch": ("sqs:SendMessage",),
}


def forbidden(stack: LocalStack) -> set[str]:
    """Permissions that a function used and its role does not give, as `Function action`."""
    allowed = dict(_allowed(stack))
    return {
        f"{call.function} {action}"
        for call in stack.calls
        if call.function is not None
        for action in _needed(f"{call.service}:{call.operation}")
        if action not in allowed[call.function]
    }


def _needed(operation: str) -> tuple[str, ...]:
    return NEEDS.get(operation, (operation,))


def _allowed(stack: LocalStack) -> Iterator[tuple[str, set[str]]]:
    """Return the actions that each function's role may take on anything."""
    for one in stack.templates:
        policies = [policy["Properties"] for _, policy in one.resources("AWS::IAM::Policy")]
        for name, function in one.resources("AWS::Lambda::Function"):
            role = {"Ref": function["Properties"]["Role"]["Fn::GetAtt"][0]}
            yield (
                name,
                {
                    action
                    for policy in policies
                    if role in policy["Roles"]
                    for statement in policy["PolicyDocument"]["Statement"]
                    if statement["Effect"] == "Allow"
                    for action in _listed(statement["Action"])
                },
            )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
