"""The AWS endpoint of this machine: functions are run here, everything else is moto."""

import threading

from infra.local.http_server import Request, Response, Server
from infra.local.lambda_api import LambdaApi
from infra.local.moto_app import Moto
from infra.local.recorder import Recorder


class Endpoint:
    """Answers every AWS call of the functions, of the state machine and of the stack itself."""

    def __init__(self, account: str, functions: LambdaApi, recorder: Recorder) -> None:
        self._functions = functions
        self._recorder = recorder
        self._moto = Moto(account)
        # moto's DynamoDB is not made for threads: writes beside a transaction would be lost.
        self._dynamodb = threading.Lock()
        self._server = Server(self._handle)
        self.url = f"http://{self._server.host}:{self._server.port}"

    def close(self) -> None:
        self._server.close()

    def _handle(self, request: Request) -> Response:
        body = request.body.read()
        service = self._recorder.record(request, body)
        if service == "lambda" and (answer := self._functions.handle(request, body)):
            return answer
        if service == "dynamodb":
            with self._dynamodb:
                return self._ask_moto(request, body)
        return self._ask_moto(request, body)

    def _ask_moto(self, request: Request, body: bytes) -> Response:
        return self._moto.handle(request, body, self._server.host, self._server.port)
