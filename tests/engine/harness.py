"""One thread on the local stack: drive it as a client does, let time pass, check it in the end."""

import json
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from assistants.services.runs.repository import GRACE_SECONDS
from infra.local import LocalStack
from tests.engine.audit import audit
from tests.engine.contract import ENDED
from tests.engine.fault_injector import Fault, FaultInjector
from tests.engine.retrying_client import RetryingClient
from tests.support.deployment import WEATHER, path
from tests.support.model_server import Answer, ModelServer

SERVICE = "AssistantsService"
MESSAGE = {"role": "user", "content": "Hello"}
PATIENCE_SECONDS = 30
STILL_SECONDS = 3
Run = dict[str, Any]
Model = Callable[[dict[str, Any]], Answer]


@dataclass
class Harness:
    """Runs the scenarios. `sweeps` counts the minutes that had to pass."""

    stack: LocalStack
    models: ModelServer
    faults: FaultInjector
    client: RetryingClient
    sweeps: int = 0
    run_id: str = "run_none"

    def begin(self, *faults: Fault) -> None:
        self.sweeps = self.client.retries = 0
        thread = self.client.post("threads", {"messages": [MESSAGE]})
        self.thread_id = str(thread["id"])
        self.faults.plan(self.thread_id, *faults)

    def assistant(self, model: Model, *hosted: str) -> str:
        """Create an assistant that can call a function and the named tools of the server."""
        tools = [WEATHER, *({"type": name} for name in hosted)]
        body = {"model": self.models.model(model).name, "tools": tools}
        return str(self.client.post("assistants", body)["id"])

    @property
    def runs(self) -> str:
        return f"threads/{self.thread_id}/runs"

    def create(self, model: Model, *hosted: str) -> Run:
        """Create a streamed run, and follow it to its wait or its end."""
        events = self.client.stream(self.runs, {"assistant_id": self.assistant(model, *hosted)})
        self.run_id = events[0].data["id"]
        return self.now(events[0].data)

    def submit(self, run: Run) -> Run:
        calls = run["required_action"]["submit_tool_outputs"]["tool_calls"]
        outputs = [{"tool_call_id": call["id"], "output": "sunny"} for call in calls]
        url = f"{path(run)}/submit_tool_outputs"
        self.client.stream(url, {"tool_outputs": outputs})
        return self.now(run)

    def begin_only(self, path: str, body: Any, begun: Callable[[], bool]) -> None:
        """Send a request until anything has come of it, and do not wait for its answer."""
        self.client.http.post(path, json=body)
        while not begun():
            self.client.http.post(path, json=body)

    def begin_run_only(self, model: Model) -> None:
        body = {"assistant_id": self.assistant(model)}
        self.begin_only(self.runs, body, lambda: bool(self.client.get(self.runs)["data"]))

    def the_run(self) -> Run:
        [run] = self.client.get(self.runs)["data"]
        return dict(run)

    def now(self, run: Run) -> Run:
        return dict(self.client.get(path(run)))

    def until(self, *statuses: str, sweeps: bool = True) -> Run:
        """Wait for a status of the run. Whenever the run makes no progress, let a minute pass."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        still = time.monotonic() + STILL_SECONDS
        while (run := self.the_run())["status"] not in statuses:
            assert time.monotonic() < deadline, f"stuck: {run}"
            if sweeps and time.monotonic() > still:
                self.faults.stop_recording()
                self.pass_minute()
                still = time.monotonic() + STILL_SECONDS
            time.sleep(0.05)
        return run

    def pass_minute(self, minutes: int = 1) -> None:
        """Make the thread's rows due that much earlier, then sweep, again should the sweep die."""
        has_changed = self._table[0].exceptions.ConditionalCheckFailedException
        for item in self._rows():
            if "due_at" in item:
                due_at = int(item["due_at"]["N"]) - 60 * minutes
                with suppress(has_changed):
                    self._change(item, "due_at", {"N": str(due_at)})
        self.sweeps += 1
        event = json.dumps({"detail-type": "Scheduled Event"})
        function = self.stack.resource(SERVICE, "Expire")
        swept = self.stack.client("lambda").invoke(FunctionName=function, Payload=event)
        if "FunctionError" in swept:
            self.pass_minute(minutes)

    def let_time_run_out(self) -> None:
        """Move the deadline of the run and its lock into the past, without a sweep."""
        for item in self._rows():
            if item["sk"]["S"].startswith(("R#", "LOCK")):
                body = json.loads(zlib.decompress(item["body"]["B"]))
                body["deadline"] = int(time.time()) - GRACE_SECONDS - 1
                self._change(item, "body", {"B": zlib.compress(json.dumps(body).encode())})

    def check_gone(self) -> str:
        """Check that nothing is left of a deleted thread and its run."""
        still = time.monotonic() + STILL_SECONDS
        while left := self._rows():
            if time.monotonic() > still:
                assert self.sweeps < 3, f"left over: {left}"
                self.faults.stop_recording()
                self.pass_minute(5)
                still = time.monotonic() + STILL_SECONDS
            time.sleep(0.05)
        return "gone"

    def check(self) -> str:
        """Wait for the end of the run, audit it and return its status."""
        return audit(self.client, self.until(*ENDED))

    def check_free(self) -> None:
        """Check that the thread takes messages, and so is free."""
        answer = self.client.post(f"threads/{self.thread_id}/messages", MESSAGE)
        assert answer.get("object") == "thread.message", f"locked: {answer}"

    def _rows(self) -> list[dict[str, Any]]:
        """Scan for the rows of the thread and of its run."""
        table, name = self._table
        pages = table.get_paginator("scan").paginate(TableName=name)
        marks = (self.thread_id, self.run_id)
        return [
            item
            for page in pages
            for item in page["Items"]
            if any(mark in item["pk"]["S"] + item["sk"]["S"] for mark in marks)
        ]

    def _change(self, item: dict[str, Any], name: str, value: dict[str, Any]) -> None:
        """Raise ConditionalCheckFailedException if the item has changed since it was read."""
        table, table_name = self._table
        table.update_item(
            TableName=table_name,
            Key={"pk": item["pk"], "sk": item["sk"]},
            UpdateExpression="SET #name = :new",
            ConditionExpression="#name = :old",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues={":new": value, ":old": item[name]},
        )

    @property
    def _table(self) -> tuple[Any, str]:
        client = self.stack.client("dynamodb")
        [name] = client.list_tables()["TableNames"]
        return client, name
