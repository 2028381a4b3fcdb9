"""The whole service over fakes: requests go through its ASGI application, without a network."""

import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from starlette.types import ASGIApp, Message

from assistants.domain.ids import RunRef
from assistants.domain.model import Catalog
from assistants.domain.model_route import ModelRoute
from assistants.domain.tool import HostedToolName
from assistants.http.app import create_app
from assistants.ports.chat_model import ChatModel
from assistants.ports.executions import Outcome
from assistants.ports.hosted_tool import HostedTool
from assistants.ports.sandbox import Sandboxes
from assistants.ports.search import Embedder, SearchIndex, no_embedder, no_index
from assistants.services.backend import Backend
from assistants.services.ports import Ports
from tests.support.fakes import (
    FakeBlobs,
    FakeClock,
    FakeExecutions,
    FakeIndexQueue,
    FakePurgeQueue,
    FakeTable,
    Script,
    ScriptedModel,
)

BETA = {"openai-beta": "assistants=v2"}
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}},
}


class Event(NamedTuple):
    name: str
    data: Any


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """The members of the error envelope."""
        assert self.status >= 400, self.body
        error: dict[str, Any] = self.json["error"]
        assert set(self.json) == {"error"}
        assert set(error) == {"message", "type", "param", "code"}
        return error

    @property
    def events(self) -> list[Event]:
        """The frames of an event stream; `done` carries the text `[DONE]`."""
        assert self.headers["content-type"].startswith("text/event-stream"), self.body
        found = []
        for block in self.body.decode().split("\n\n")[:-1]:
            lines = [line.partition(": ") for line in block.split("\n")]
            fields = {name: value for name, _, value in lines if name}
            if fields:
                data = fields["data"]
                found.append(Event(fields["event"], data if data == "[DONE]" else json.loads(data)))
        return found


class Client:
    """Calls an ASGI application as an SDK does: bearer key, beta header, JSON."""

    def __init__(self, app: ASGIApp, key: str = "sk-test") -> None:
        self._app = app
        self._key = key

    def request(
        self,
        method: str,
        url: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Answer:
        if content is None:
            content = b"" if body is None else json.dumps(body).encode()
        given = {"authorization": f"Bearer {self._key}", **BETA, **(headers or {})}
        path, _, query = url.partition("?")
        return _run(self._exchange(method, path, query, given, content))

    def get(self, url: str, **headers: str) -> Any:
        """The JSON of an answer that must be 200."""
        return _ok(self.request("GET", url, headers=headers))

    def post(self, url: str, body: Any = None, **headers: str) -> Any:
        return _ok(self.request("POST", url, body, headers=headers))

    def delete(self, url: str) -> Any:
        return _ok(self.request("DELETE", url))

    def stream(self, url: str, body: Any) -> list[Event]:
        answer = self.request("POST", url, {**body, "stream": True})
        assert answer.status == 200, answer.body
        return answer.events

    def refused(self, method: str, url: str, body: Any = None) -> str:
        """The message of an answer that must be 400 with neither param nor code."""
        answer = self.request(method, url, body)
        assert answer.status == 400, answer.body
        assert (answer.error["param"], answer.error["code"]) == (None, None)
        return str(answer.error["message"])

    async def _exchange(
        self, method: str, path: str, query: str, headers: Mapping[str, str], content: bytes
    ) -> Answer:
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "server": ("testserver", 443),
            "client": ("127.0.0.1", 1),
        }
        await self._app(scope, receive, send)
        start, *rest = sent
        return Answer(
            start["status"],
            {name.decode(): value.decode() for name, value in start["headers"]},
            b"".join(message.get("body", b"") for message in rest),
        )


def _run(coroutine: Coroutine[Any, Any, Answer]) -> Answer:
    """Without an event loop: the application never waits for anything, and so can be called while
    it is being called.
    """
    try:
        coroutine.send(None)
    except StopIteration as finished:
        answer: Answer = finished.value
        return answer
    raise AssertionError("the application waits for something")


def _ok(answer: Answer) -> Any:
    assert answer.status == 200, answer.body
    return answer.json


class Machine:
    """The run state machine, played at once in the thread that starts or resumes it."""

    backend: Backend

    def __init__(self) -> None:
        self.waiting: dict[str, dict[str, Any]] = {}
        self.tokens = 0

    def start(self, ref: RunRef) -> None:
        self.call_model({**ref.to_state(), "turn": 0})

    def resume(self, token: str, outcome: Outcome) -> bool:
        if token not in self.waiting:
            return False
        self.call_model(self.waiting.pop(token))
        return True

    def call_model(self, state: dict[str, Any]) -> None:
        ref = RunRef.from_state(state)
        following = self.backend.turns.service.take(ref, state["turn"])
        if following["next"] == "tools":
            for call in following["calls"]:
                self.backend.turns.tool_calls.answer(ref, call["call"])
        if following["next"] == "action" or following.get("calls_functions"):
            self.tokens += 1
            token = f"token-{self.tokens}"
            self.waiting[token] = following
            self.backend.runs.callbacks.begin(ref, following["turn"], token)
        elif following["next"] == "tools":
            self.call_model(following)


class Deployment:
    """The service, its fakes, and a client; `script` is what the model says, turn by turn, unless
    a `model` is given.

    With `machine`, runs are worked on as soon as they are created. Without, the test does what the
    functions of the state machine do, with `turn`, `wait` and `finish`.
    """

    def __init__(
        self,
        *script: Script,
        machine: bool = True,
        clock: FakeClock | None = None,
        table: FakeTable | None = None,
        blobs: FakeBlobs | None = None,
        model: ChatModel | None = None,
        catalog: Catalog | None = None,
        run_ttl_seconds: int = 600,
        tools: Mapping[HostedToolName, HostedTool] | None = None,
        index: Callable[[], SearchIndex] = no_index,
        embedder: Callable[[], Embedder] = no_embedder,
        sandboxes: Sandboxes | None = None,
        sandbox_spares: int = 0,
    ) -> None:
        self.table = table or FakeTable()
        self.blobs = blobs or FakeBlobs()
        self.clock = clock or FakeClock()
        self.model = ScriptedModel(*script)
        self.machine = Machine()
        self.executions = FakeExecutions()
        self.purge_queue = FakePurgeQueue()
        self.index_queue = FakeIndexQueue()
        self.catalog = catalog or Catalog(
            {"demo": ModelRoute(provider="demo"), "small": ModelRoute(context=1024)},
            endpoint_configured=False,
        )
        self.backend = Backend(
            Ports(
                table=self.table,
                blobs=self.blobs,
                executions=self.machine if machine else self.executions,
                purge_queue=self.purge_queue,
                model=model or self.model,
                catalog=self.catalog,
                clock=self.clock,
                auth="open",
                run_ttl_seconds=run_ttl_seconds,
                tools=tools or {},
                index=index,
                embedder=embedder,
                index_queue=None if index is no_index else self.index_queue,
                sandboxes=sandboxes,
                sandbox_spares=sandbox_spares,
            )
        )
        self.machine.backend = self.backend
        self.app = create_app(self.backend)
        self.api = Client(self.app)
        self.project = self.backend.api_keys.identify("Bearer sk-test")

    def assistant(self, **members: Any) -> str:
        return str(self.api.post("/assistants", {"model": "demo", **members})["id"])

    def thread(self, *texts: str) -> str:
        messages = [{"role": "user", "content": text} for text in texts]
        return str(self.api.post("/threads", {"messages": messages})["id"])

    def run(self, thread_id: str | None = None, **members: Any) -> dict[str, Any]:
        """A run, on a new thread unless one is given; by an assistant that can ask the weather."""
        thread_id = thread_id or self.thread("Hello")
        assistant_id = members.pop("assistant_id", None) or self.assistant(tools=[WEATHER])
        body = {"assistant_id": assistant_id, **members}
        run: dict[str, Any] = self.api.post(f"/threads/{thread_id}/runs", body)
        return self.again(run)

    def again(self, run: Mapping[str, Any]) -> dict[str, Any]:
        """The run as it is now."""
        found: dict[str, Any] = self.api.get(path(run))
        return found

    def steps(self, run: Mapping[str, Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.api.get(f"{path(run)}/steps?order=asc")["data"]
        return found

    def messages(self, run: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Those that the run has made."""
        url = f"/threads/{run['thread_id']}/messages?order=asc&run_id={run['id']}"
        found: list[dict[str, Any]] = self.api.get(url)["data"]
        return found

    def events(self, run: Mapping[str, Any]) -> list[Event]:
        """Everything that has been told of the run, over all its waits."""
        found: list[Event] = []
        seen = 0
        while True:
            headers = {"last-event-id": str(seen)}
            answer = self.api.request("GET", f"{path(run)}/events", headers=headers)
            *told, _ = answer.events
            found += told
            seen += len(told)
            if told[-1].name != "thread.run.requires_action" or self.again(run)["status"] == (
                "requires_action"
            ):
                return found

    def submit(self, run: Mapping[str, Any], output: Any = "sunny") -> Any:
        return self.api.post(f"{path(run)}/submit_tool_outputs", outputs(run, output))

    def cancel(self, run: Mapping[str, Any]) -> Any:
        return self.api.post(f"{path(run)}/cancel")

    def turn(self, run: Mapping[str, Any], number: int = 0) -> dict[str, Any]:
        return self.backend.turns.service.take(self.ref(run), number)

    def wait(self, run: Mapping[str, Any], token: str = "token", *, turn: int = 1) -> None:
        """For the client to act, behind so many turns."""
        self.backend.runs.callbacks.begin(self.ref(run), turn, token)

    def finish(self, run: Mapping[str, Any]) -> None:
        self.backend.runs.termination.end(self.ref(run))

    def ref(self, run: Mapping[str, Any]) -> RunRef:
        return RunRef(self.project, run["thread_id"], run["id"])

    def is_free(self, thread_id: str) -> bool:
        """Whether the thread takes messages, and so has no active run."""
        body = {"role": "user", "content": "Are you free?"}
        return self.api.request("POST", f"/threads/{thread_id}/messages", body).status == 200


def path(run: Mapping[str, Any]) -> str:
    return f"/threads/{run['thread_id']}/runs/{run['id']}"


def calls_of(run: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    return found


def outputs(run: Mapping[str, Any], output: Any = "sunny") -> dict[str, Any]:
    """The body of a submit that answers every call alike."""
    calls = calls_of(run)
    return {"tool_outputs": [{"tool_call_id": call["id"], "output": output} for call in calls]}
