"""Calls of another function of the deployment."""

import random
import time
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from assistants.domain.errors import RateLimitError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import InvocationResponseTypeDef

_THROTTLED = "TooManyRequestsException"  # the account runs as many functions as it may
# https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors: a function that
# nobody called for weeks first gets its network back, and refuses calls until then.
_WAKING = frozenset(
    {
        "EC2ThrottledException",
        "EC2UnexpectedException",
        "ENILimitReachedException",
        "ResourceConflictException",
        "ResourceNotReadyException",
    }
)
# Who waits holds a place of the account, perhaps the one that is needed: the wait is short, and the
# caller's own caller tries again later.
_THROTTLED_SECONDS = 20.0
_WAKING_SECONDS = 90.0
_LONGEST_PAUSE_SECONDS = 2.0


def invoke(client: "LambdaClient", function: str, payload: bytes) -> "InvocationResponseTypeDef":
    """Return the function's answer, asked for again while the function cannot begin.

    Raises `RateLimitError` if it stays throttled, and botocore's errors.
    """
    started = time.monotonic()
    while True:
        try:
            return client.invoke(FunctionName=function, Payload=payload)
        except ClientError as error:
            code, waited = error.response["Error"]["Code"], time.monotonic() - started
            if code == _THROTTLED and waited > _THROTTLED_SECONDS:
                raise RateLimitError(
                    "The deployment runs as many functions as its account may.",
                    code="rate_limit_exceeded",
                ) from error
            if code != _THROTTLED and (code not in _WAKING or waited > _WAKING_SECONDS):
                raise
        time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS))  # noqa: S311 - jitter, no secret
