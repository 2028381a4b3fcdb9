"""moto's server application, called in this process instead of over HTTP."""

import sys
from collections.abc import Sequence
from io import BytesIO
from typing import Any
from urllib.parse import unquote

from moto.core.config import default_user_config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from infra.local.http_message import HttpRequest, HttpResponse

HOP_BY_HOP = frozenset({"connection", "transfer-encoding"})


class Moto:
    """One account of moto's server, in which state machines run and nothing needs Docker."""

    def __init__(self, account: str) -> None:
        default_user_config["stepfunctions"] = {"execute_state_machine": True}
        default_user_config["lambda"] = {"use_docker": False}
        self._account = account
        self._application = DomainDispatcherApplication(create_backend_app)

    def handle(self, request: HttpRequest, body: bytes, host: str, port: int) -> HttpResponse:
        """Answer one AWS request that arrived at `host`:`port`."""
        response = HttpResponse(500)

        def start_response(
            status: str, headers: Sequence[tuple[str, str]], _: object = None
        ) -> None:
            response.status = int(status.split()[0])
            response.headers = [header for header in headers if header[0].lower() not in HOP_BY_HOP]

        environ = _environ(request, body, host, port)
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = self._account
        response.body = b"".join(self._application(environ, start_response))
        return response


def _environ(request: HttpRequest, body: bytes, host: str, port: int) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(request.path).encode().decode("latin-1"),
        "QUERY_STRING": request.query,
        "RAW_URI": f"{request.path}?{request.query}" if request.query else request.path,
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": request.client,
    }
    for name, value in request.headers.items():
        environ["HTTP_" + name.upper().replace("-", "_")] = value
    environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    return environ
