"""A call that a function's role does not allow is found, whatever the local stack lets pass."""

from infra.local import LocalStack
from infra.local.recorder import AwsCall
from tests.support.permissions import forbidden


class Overheard:
    """A stack's template, with calls that nobody has made."""

    def __init__(self, stack: LocalStack, *calls: AwsCall) -> None:
        self.templates = stack.templates
        self.calls = calls


def test_what_no_role_allows_is_found_and_what_it_allows_is_not(stack: LocalStack) -> None:
    calls = (
        AwsCall("RunCode", "ecs", "RunTask"),
        AwsCall("RunCode", "lambda", "Invoke"),
        AwsCall("Purge", "dynamodb", "TransactWriteItems"),
        AwsCall(None, "iam", "CreateUser"),
        AwsCall("FinishRun", "ecs", "RunTask"),
        AwsCall("SandboxProxy", "s3", "DeleteObjects"),
    )
    found = forbidden(Overheard(stack, *calls))  # type: ignore[arg-type]
    assert found == {"FinishRun ecs:RunTask", "SandboxProxy s3:DeleteObject"}
