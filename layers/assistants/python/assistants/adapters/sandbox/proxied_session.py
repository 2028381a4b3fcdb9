"""A code interpreter session in an isolated network, called through a Lambda function there."""

import json
import time
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import ClientError

from assistants.adapters.sandbox.calls import (
    EXECUTION,
    CancelCall,
    ExecuteCall,
    PutCall,
    ReadyCall,
    SandboxCall,
    SandboxRequest,
    TakeCall,
    TakeImageCall,
    value_of,
)
from assistants.ports.sandbox import Execution

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# A function in a VPC that was idle for weeks refuses calls while Lambda restores its network:
# https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors
_WAKING = frozenset(
    {
        "EC2ThrottledException",
        "EC2UnexpectedException",
        "ENILimitReachedException",
        "ResourceConflictException",
        "ResourceNotReadyException",
    }
)
# Longer than the function's own timeout. Calls are idempotent, so they may be retried.
CONFIG = Config(read_timeout=320, retries={"total_max_attempts": 3})

_WAKING_SECONDS = 90
_RETRY_SECONDS = 2


class SandboxProxy:
    """The Lambda function in the sessions' network."""

    def __init__(self, function: str, client: Callable[[], "LambdaClient"]) -> None:
        self._function = function
        self._make_client = client

    @cached_property
    def _client(self) -> "LambdaClient":
        return self._make_client()

    def send(self, request: SandboxRequest) -> Any:
        """Return a call's value or raise its exception; `RuntimeError` if the function fails."""
        answer = self._invoke(json.dumps(request.to_json()).encode())
        if "FunctionError" in answer:
            raise RuntimeError("the sandbox proxy failed")  # its own log has the cause
        return value_of(json.loads(answer["Payload"].read()))

    def _invoke(self, payload: bytes) -> Any:
        give_up = time.monotonic() + _WAKING_SECONDS
        while True:
            try:
                return self._client.invoke(FunctionName=self._function, Payload=payload)
            except ClientError as error:
                waking = error.response["Error"]["Code"] in _WAKING
                if not waking or time.monotonic() > give_up:
                    raise
            time.sleep(_RETRY_SECONDS)


class ProxiedSession:
    """Implements `SandboxSession`."""

    def __init__(self, proxy: SandboxProxy, address: str, token: str) -> None:
        self._proxy = proxy
        self._address = address
        self._token = token

    def ready(self, wait: float) -> bool:
        return bool(self._call(ReadyCall(wait=wait)))

    def execute(self, id: str, code: str, *, seconds: float, wait: float) -> Execution | None:
        found = self._call(ExecuteCall(id=id, code=code, seconds=seconds, wait=wait))
        return EXECUTION.validate_python(found)

    def cancel(self, id: str) -> None:
        self._call(CancelCall(id=id))

    def put(self, path: str, blob: str, size: int) -> None:
        self._call(PutCall(path=path, blob=blob, size=size))

    def take(self, path: str, blob: str) -> int:
        return int(self._call(TakeCall(path=path, blob=blob)))

    def take_image(self, id: str, number: int, blob: str) -> int:
        return int(self._call(TakeImageCall(id=id, number=number, blob=blob)))

    def _call(self, call: SandboxCall) -> Any:
        return self._proxy.send(SandboxRequest(address=self._address, token=self._token, call=call))
