"""Serves the ASGI app with Lambda's response streaming: each chunk is sent at once."""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

from mangum.handlers.api_gateway import APIGateway
from mangum.types import LambdaConfig
from starlette.types import ASGIApp, Message, Scope

_CONFIG: LambdaConfig = {
    "api_gateway_base_path": "/",
    "text_mime_types": [],
    "exclude_headers": [],
}


class ResponseStream(Protocol):
    """The response object that the streaming runtime passes to a handler."""

    def begin(self, status: int, headers: Sequence[tuple[str, str]]) -> None: ...

    def write(self, chunk: bytes) -> None: ...


def serve(app: ASGIApp, event: dict[str, Any], response: ResponseStream, context: Any) -> None:
    """Answer one REST proxy event."""
    request = APIGateway(event, context, _CONFIG)
    body = request.body

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            pairs = [(name.decode(), value.decode()) for name, value in message["headers"]]
            response.begin(message["status"], pairs)
        elif message.get("body"):
            response.write(message["body"])

    async def answer(scope: Scope) -> None:
        await app(scope, receive, send)

    asyncio.run(answer(request.scope))
