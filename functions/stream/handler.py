"""The routes that can answer with server-sent events, through API Gateway's streaming."""

from typing import Any

from assistants.bootstrap import backend, settings
from assistants.http.app import create_app
from assistants.http.response_streaming import ResponseStream, serve

app = create_app(backend(), cors_origins=settings().cors_origins)


def handler(event: dict[str, Any], response: ResponseStream, context: Any) -> None:
    serve(app, event, response, context)
