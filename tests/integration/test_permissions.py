"""A call that a function's role does not allow is found, whatever the local stack lets pass."""

from infra.local import LocalStack
from infra.local.recorder import Call
from tests.support.permissions import forbidden


class Overheard:
    """A stack's template, with calls that nobody has made."""

    def __init__(self, stack: LocalStack, *calls: Call) -> None:
        self.templates = stack.templates
        self.calls = calls


def test_what_no_role_allows_is_found_and_what_it_allows_is_not(stack: LocalStack) -> None:
    calls = (
        Call("RunCode", "ecs", "RunTask"),
        Call("RunCode", "lambda", "Invoke"),
        Call("Purge", "dynamodb", "TransactWriteItems"),
        Call(None, "iam", "CreateUser"),
        Call("FinishRun", "ecs", "RunTask"),
        Call("SandboxProxy", "s3", "DeleteObjects"),
    )
    found = forbidden(Overheard(stack, *calls))  # type: ignore[arg-type]
    assert found == {"FinishRun ecs:RunTask", "SandboxProxy s3:DeleteObject"}
