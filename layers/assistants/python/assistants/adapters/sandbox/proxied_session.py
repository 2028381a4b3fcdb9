"""A code interpreter session in an isolated network, called through a Lambda function there."""

import json
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from botocore.config import Config

from assistants.adapters.lambda_calls import invoke
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

# Longer than the function's own timeout. Calls are idempotent, so they may be retried.
CONFIG = Config(read_timeout=320, retries={"total_max_attempts": 3})


class SandboxProxy:
    """The Lambda function in the sessions' network."""

    def __init__(self, function: str, client: Callable[[], "LambdaClient"]) -> None:
        self._function = function
        self._make_client = client

    @cached_property
    def _client(self) -> "LambdaClient":
        return self._make_client()

    def send(self, request: SandboxRequest) -> Any:
        """Return a call's value or raise its exception.

        Raises `RateLimitError` while the account runs as many functions as it may, and
        `RuntimeError` if the function fails.
        """
        payload = json.dumps(request.to_json()).encode()
        answer = invoke(self._client, self._function, payload)
        if "FunctionError" in answer:
            raise RuntimeError("the sandbox proxy failed")  # its own log has the cause
        return value_of(json.loads(answer["Payload"].read()))


class ProxiedSession:
    """Implement `SandboxSession`."""

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
