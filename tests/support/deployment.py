"""The whole service over fakes, driven through its ASGI application."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from assistants.domain.ids import RunRef
from assistants.domain.model import Catalog
from assistants.domain.model_route import ModelRoute
from assistants.http.app import create_app
from assistants.services.backend import Backend
from assistants.services.ports import Ports
from tests.support.api_client import Client, Event
from tests.support.fakes import (
    FakeBlobs,
    FakeClock,
    FakeExecutions,
    FakePurgeQueue,
    FakeTable,
    Script,
    ScriptedModel,
)
from tests.support.forms import HEADERS, Attached, form
from tests.support.run_machine import InlineRunMachine

CATALOG = Catalog(
    {"demo": ModelRoute(provider="demo"), "small": ModelRoute(context=1024)},
    endpoint_configured=False,
)
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}},
}


class Deployment:
    """The service, its fakes, and a client; `script` is what the model says, turn by turn.

    With `machine`, runs are worked on as soon as they are created. Without, the test does what the
    functions of the state machine do, with `turn`, `wait` and `finish`. `ports` replace members of
    `Ports`.
    """

    def __init__(
        self,
        *script: Script,
        machine: bool = True,
        clock: FakeClock | None = None,
        table: FakeTable | None = None,
        blobs: FakeBlobs | None = None,
        **ports: Any,
    ) -> None:
        self.table = table or FakeTable()
        self.blobs = blobs or FakeBlobs()
        self.clock = clock or FakeClock()
        self.model = ScriptedModel(*script)
        self.executions = FakeExecutions()
        self.purge_queue = FakePurgeQueue()
        run_machine = InlineRunMachine()
        fakes = Ports(
            table=self.table,
            blobs=self.blobs,
            executions=run_machine if machine else self.executions,
            purge_queue=self.purge_queue,
            model=self.model,
            catalog=CATALOG,
            clock=self.clock,
            auth="open",
        )
        self.backend = run_machine.backend = Backend(replace(fakes, **ports))
        self.app = create_app(self.backend)
        self.api = Client(self.app)
        self.project = self.backend.api_keys.identify("Bearer sk-test")

    def assistant(self, **members: Any) -> str:
        return str(self.api.post("/assistants", {"model": "demo", **members})["id"])

    def thread(self, *texts: str) -> str:
        messages = [user_message(text) for text in texts]
        return str(self.api.post("/threads", {"messages": messages})["id"])

    def file(self, content: str = "The parrot is called Ada.", name: str = "notes.txt") -> str:
        body = form({"purpose": "assistants", "file": Attached(content.encode(), name)})
        answer = self.api.request("POST", "/files", headers=HEADERS, content=body)
        assert answer.status == 200, answer.body
        return str(answer.json["id"])

    def run(self, thread_id: str | None = None, **members: Any) -> dict[str, Any]:
        """Create a run, on a new thread unless one is given, by an assistant that has `WEATHER`."""
        thread_id = thread_id or self.thread("Hello")
        assistant_id = members.pop("assistant_id", None) or self.assistant(tools=[WEATHER])
        body = {"assistant_id": assistant_id, **members}
        run: dict[str, Any] = self.api.post(f"/threads/{thread_id}/runs", body)
        return self.again(run)

    def again(self, run: Mapping[str, Any]) -> dict[str, Any]:
        """Return the run as it is now."""
        found: dict[str, Any] = self.api.get(path(run))
        return found

    def steps(self, run: Mapping[str, Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.api.get(f"{path(run)}/steps?order=asc")["data"]
        return found

    def messages(self, run: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the messages that the run has made."""
        url = f"/threads/{run['thread_id']}/messages?order=asc&run_id={run['id']}"
        found: list[dict[str, Any]] = self.api.get(url)["data"]
        return found

    def events(self, run: Mapping[str, Any]) -> list[Event]:
        """Return all events of the run so far, over all its waits."""
        found: list[Event] = []
        seen = 0
        while True:
            headers = {"last-event-id": str(seen)}
            answer = self.api.request("GET", f"{path(run)}/events", headers=headers)
            *received, _ = answer.events
            found += received
            seen += len(received)
            if received[-1].name != "thread.run.requires_action" or self.again(run)["status"] == (
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
        """Let the run wait for its client after so many turns."""
        self.backend.runs.callbacks.begin(self.ref(run), turn, token)

    def finish(self, run: Mapping[str, Any]) -> None:
        self.backend.runs.termination.end(self.ref(run))

    def ref(self, run: Mapping[str, Any]) -> RunRef:
        return RunRef(self.project, run["thread_id"], run["id"])

    def purge(self, seconds: float = 0) -> int:
        """Work until the purge queue is empty; return the number of messages.

        The worker has so many seconds for each of them, and always enough for one page.
        """
        count = 0
        while self.purge_queue.sent:
            count += 1
            message = self.purge_queue.sent.pop(0)
            self.backend.maintenance.purge.work(*message, seconds=seconds)
        return count

    def is_free(self, thread_id: str) -> bool:
        """Return whether the thread takes messages, and so has no active run."""
        url = f"/threads/{thread_id}/messages"
        return self.api.request("POST", url, user_message("Are you free?")).status == 200


def user_message(text: str = "Hello", **members: Any) -> dict[str, Any]:
    return {"role": "user", "content": text, **members}


def path(run: Mapping[str, Any]) -> str:
    return f"/threads/{run['thread_id']}/runs/{run['id']}"


def calls_of(run: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    return found


def outputs(run: Mapping[str, Any], output: Any = "sunny") -> dict[str, Any]:
    """Return the body of a submit that answers every call alike."""
    calls = calls_of(run)
    return {"tool_outputs": [{"tool_call_id": call["id"], "output": output} for call in calls]}
