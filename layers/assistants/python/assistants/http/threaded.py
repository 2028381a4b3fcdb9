"""Runs the ASGI app on a long-running server: each request in a thread, since endpoints block.

On Lambda a process serves one request at a time and needs no threads.
"""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

T = TypeVar("T")


class Threaded:
    """Serve an ASGI application below `prefix` without blocking the server."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        loop = asyncio.get_running_loop()
        path = scope["path"].removeprefix(self._prefix)

        async def here(awaited: Awaitable[T]) -> T:
            return await awaited

        async def receive_there() -> Message:
            received = asyncio.run_coroutine_threadsafe(here(receive()), loop)
            return await asyncio.wrap_future(received)

        async def send_there(message: Message) -> None:
            sent = asyncio.run_coroutine_threadsafe(here(send(message)), loop)
            await asyncio.wrap_future(sent)

        async def answer() -> None:
            await self._app({**scope, "path": path}, receive_there, send_there)

        await asyncio.to_thread(asyncio.run, answer())
