"""Conversations at a given concurrency, timed from the client's side of the wire."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any

import httpx2

from tests.support.call_counter import HELLO, WEATHER

HEADERS = {"Authorization": "Bearer sk-load", "OpenAI-Beta": "assistants=v2"}
ACTIVE = {"queued", "in_progress"}
Timings = dict[str, float]
"""Milliseconds by what was timed."""


@dataclass(frozen=True)
class Load:
    """`conversations` in all, `concurrency` at a time, after as many to warm up.

    Runs are polled every 10 ms times the concurrency, so that polls stay about 100 a second.
    """

    base_url: str
    model: str
    concurrency: int
    conversations: int

    @property
    def poll_seconds(self) -> float:
        """The pause between two polls of a run."""
        return 0.01 * self.concurrency


def measure(kind: str, load: Load) -> dict[str, Any]:
    """Time one kind of conversation: median and 95th percentile in ms, conversations a second.

    Runs in a process of its own, so that the client's work is not counted as the stack's.
    """
    return asyncio.run(_measure(CONVERSATIONS[kind], load))


async def _measure(converse: "Conversation", load: Load) -> dict[str, Any]:
    async with httpx2.AsyncClient(base_url=load.base_url, headers=HEADERS, timeout=120) as http:
        client = Client(http, load)
        await client.prepare()
        await _hold(converse, client, load.concurrency)
        started = time.perf_counter()
        timings = await _hold(converse, client, load.conversations)
        seconds = time.perf_counter() - started
    summary = {name: _summary([timing[name] for timing in timings]) for name in timings[0]}
    return {"ms": summary, "per_second": round(len(timings) / seconds, 1)}


async def _hold(converse: "Conversation", client: "Client", number: int) -> list[Timings]:
    places = asyncio.Semaphore(client.load.concurrency)

    async def one() -> Timings:
        async with places:
            return await converse(client)

    return await asyncio.gather(*(one() for _ in range(number)))


def _summary(values: list[float]) -> dict[str, float]:
    return {"p50": round(median(values), 1), "p95": round(quantiles(values, n=20)[-1], 1)}


class Client:
    """The API as the conversations below use it."""

    def __init__(self, http: httpx2.AsyncClient, load: Load) -> None:
        self._http = http
        self.load = load
        self.assistant_id = ""

    async def prepare(self) -> None:
        """Make the assistant that all conversations share."""
        body = {"model": self.load.model, "tools": [WEATHER]}
        self.assistant_id = (await self.post("assistants", body))["id"]

    async def post(self, path: str, body: Any) -> Any:
        """POST and return the object; raise on any refusal."""
        return _json(await self._http.post(path, json=body))

    async def get(self, path: str) -> Any:
        """GET and return the object; raise on any refusal."""
        return _json(await self._http.get(path))

    async def thread(self, messages: int = 1) -> str:
        """Create a thread and return its path."""
        return f"threads/{(await self.post('threads', {'messages': HELLO * messages}))['id']}"

    async def settled(self, path: str) -> Any:
        """Poll the run at `path` until it waits for outputs or has ended."""
        while (run := await self.get(path))["status"] in ACTIVE:
            await asyncio.sleep(self.load.poll_seconds)
        return run

    async def deltas(self, path: str, body: Any) -> AsyncIterator[str]:
        """Yield the texts of a streamed run as they arrive."""
        async with self._http.stream("POST", path, json={**body, "stream": True}) as response:
            event = ""
            async for line in response.aiter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    event = value
                elif event == "thread.message.delta" and name == "data":
                    yield json.loads(value)["delta"]["content"][0]["text"]["value"]


def _json(response: httpx2.Response) -> Any:
    response.raise_for_status()
    return response.json()


class Watch:
    """A stopwatch in milliseconds."""

    def __init__(self) -> None:
        self._started = time.perf_counter()

    def __call__(self) -> float:
        return (time.perf_counter() - self._started) * 1000


async def polled(client: Client) -> Timings:
    """Create a run and poll until it is completed."""
    runs, watch = f"{await client.thread()}/runs", Watch()
    run = await client.post(runs, {"assistant_id": client.assistant_id})
    run = await client.settled(f"{runs}/{run['id']}")
    _expect(run, "completed")
    return {"create to completed": watch()}


async def streamed(client: Client) -> Timings:
    """Stream a run, whose first word is the time at which the model said it (`time.monotonic`)."""
    runs, watch = f"{await client.thread()}/runs", Watch()
    stream = client.deltas(runs, {"assistant_id": client.assistant_id})
    seen = [(text, time.monotonic(), watch()) async for text in stream]
    word, arrived, first = seen[0]
    return {
        "first token after the model's": (arrived - float(word)) * 1000,
        "create to first token": first,
        "create to done": watch(),
    }


async def function(client: Client) -> Timings:
    """Create a run, wait for its call, answer, wait for its end."""
    runs, watch = f"{await client.thread()}/runs", Watch()
    run = await client.post(runs, {"assistant_id": client.assistant_id})
    path = f"{runs}/{run['id']}"
    run = await client.settled(path)
    _expect(run, "requires_action")
    [call] = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    outputs = {"tool_outputs": [{"tool_call_id": call["id"], "output": "sunny"}]}
    await client.post(f"{path}/submit_tool_outputs", outputs)
    _expect(await client.settled(path), "completed")
    return {"function round trip": watch()}


async def requests(client: Client) -> Timings:
    """Plain requests, one after the other."""
    thread = await client.thread(messages=20)
    assistant = {"model": client.load.model}
    steps: dict[str, Callable[[], Awaitable[Any]]] = {
        "POST assistant": lambda: client.post("assistants", assistant),
        "GET assistant": lambda: client.get(f"assistants/{client.assistant_id}"),
        "POST message": lambda: client.post(f"{thread}/messages", HELLO[0]),
        "GET 20 messages": lambda: client.get(f"{thread}/messages?limit=20"),
    }
    timings: Timings = {}
    for name, send in steps.items():
        watch = Watch()
        await send()
        timings[name] = watch()
    return timings


def _expect(run: Any, status: str) -> None:
    if run["status"] != status:
        raise RuntimeError(f"{run['id']} is {run['status']}, not {status}: {run['last_error']}")


Conversation = Callable[[Client], Awaitable[Timings]]
CONVERSATIONS: dict[str, Conversation] = {
    "polled": polled,
    "streamed": streamed,
    "function": function,
    "requests": requests,
}
