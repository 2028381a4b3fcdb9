"""The local AWS endpoint: functions and tasks run here, and moto answers everything else."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from infra.local.ecs_api import EcsApi
from infra.local.http_message import HttpRequest, HttpResponse
from infra.local.http_server import HttpServer
from infra.local.lambda_api import LambdaApi
from infra.local.lineage import sent, stamp
from infra.local.moto_app import Moto
from infra.local.recorder import AwsCall, Recorder
from infra.local.s3_denials import deny_missing_key

Around = Callable[[AwsCall, bytes], AbstractContextManager[None]]


class AwsEndpoint:
    """Answer every AWS call of the functions, of the state machine and of the stack itself.

    Each call is answered inside the context manager `around`, which tests replace: an exception
    that it raises cuts the connection, before the call takes effect or after.
    """

    def __init__(
        self, account: str, functions: LambdaApi, tasks: EcsApi, recorder: Recorder
    ) -> None:
        self.around: Around = lambda _call, _body: nullcontext()
        self._functions = functions
        self._tasks = tasks
        self._recorder = recorder
        self._moto = Moto(account)
        # moto's DynamoDB is not thread-safe: a write during a transaction would be lost.
        self._dynamodb = threading.Lock()
        self._server = HttpServer(self._handle)
        self.url = f"http://{self._server.host}:{self._server.port}"

    def close(self) -> None:
        self._server.close()

    def _handle(self, request: HttpRequest) -> HttpResponse:
        body = request.body.read()
        call = self._recorder.record(request, body)
        with self.around(call, body):
            return self._answer(call, request, body)

    def _answer(self, call: AwsCall, request: HttpRequest, body: bytes) -> HttpResponse:
        if call.service == "lambda" and (answer := self._functions.handle(request, body)):
            return answer
        if call.service == "ecs":
            moto = partial(self._ask_moto, request, body)
            return self._tasks.handle(call.operation, body, moto)
        if call.service == "sqs":
            return self._ask_moto(request, stamp(call.operation, body, sent(request.headers)))
        if call.service == "dynamodb":
            with self._dynamodb:
                return self._ask_moto(request, body)
        if call.service == "s3":
            return deny_missing_key(self._ask_moto(request, body))
        return self._ask_moto(request, body)

    def _ask_moto(self, request: HttpRequest, body: bytes) -> HttpResponse:
        return self._moto.handle(request, body, self._server.host, self._server.port)
