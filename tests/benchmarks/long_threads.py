"""The cost of a thread's length: a page of its messages and a prompt, at 10 to 100,000 messages.

On dynalite, an emulator of DynamoDB whose own time does not grow with a table, as moto's does. It
has no transactions: what is written together is written one by one.
"""

import os
import random
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from statistics import median
from typing import Any

from assistants.adapters.dynamodb.items import Rows, item_model
from assistants.adapters.dynamodb.large_values import LargeValues
from assistants.adapters.dynamodb.table import DynamoTable
from assistants.domain.ids import MESSAGE, ProjectId, RunRef, ThreadId, new_id
from assistants.domain.message import MessageCreate
from assistants.domain.model import Catalog
from assistants.domain.model_route import ModelRoute
from assistants.http.app import create_app
from assistants.ports.table import Require, Write
from assistants.services.backend import Backend
from assistants.services.ports import Ports
from assistants.services.threads.messages import new_message, row_of
from tests.support.api_client import Client
from tests.support.fakes import (
    FakeBlobs,
    FakeClock,
    FakeExecutions,
    FakePurgeQueue,
    ScriptedModel,
)

LENGTHS = (10, 1_000, 100_000)
CONTEXT = 16_384  # tokens, of which some 150 of these messages fill what a prompt may have
WORDS_EACH = 60
REPEATS = 9
TABLE = "threads"
DYNALITE = "dynalite@4.0.0"


class PlainTable(DynamoTable):
    """A table without transactions, and so without their conditions."""

    def commit(self, *writes: Write) -> None:
        for write in writes:
            if not isinstance(write, Require):
                super().commit(write)


class Meter:
    """The calls of DynamoDB and the read units that it bills for them."""

    def __init__(self, client: Any) -> None:
        self.calls = 0
        self.read = 0.0
        client.meta.events.register("provide-client-params.dynamodb.*", self._ask)
        client.meta.events.register("after-call.dynamodb.*", self._note)

    def _ask(self, params: dict[str, Any], **_: Any) -> None:
        params["ReturnConsumedCapacity"] = "TOTAL"

    def _note(self, parsed: dict[str, Any], **_: Any) -> None:
        consumed = parsed.get("ConsumedCapacity", {})
        each = consumed if isinstance(consumed, list) else [consumed]
        self.calls += 1
        self.read += sum(one.get("CapacityUnits", 0) for one in each)

    def of(self, act: Callable[[], object]) -> dict[str, float]:
        """Count calls, read units and milliseconds (median) of one `act`."""
        seconds = []
        for _ in range(REPEATS):
            self.calls, self.read = 0, 0.0
            started = time.perf_counter()
            act()
            seconds.append(time.perf_counter() - started)
        return {
            "calls": self.calls,
            "read_units": self.read,
            "ms": round(median(seconds) * 1000, 1),
        }


def long_threads() -> list[dict[str, Any]]:
    """Measure for each length a page of 20, the page after its middle, and two kinds of prompts."""
    with _dynalite() as endpoint:
        os.environ.update(
            AWS_ENDPOINT_URL=endpoint,
            AWS_ACCESS_KEY_ID="none",
            AWS_SECRET_ACCESS_KEY="none",
            AWS_REGION="us-east-1",
            AWS_DEFAULT_REGION="us-east-1",
        )
        item = item_model(TABLE)
        item.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
        meter = Meter(item._get_connection().connection.client)
        return [row for length in LENGTHS for row in _measure(item, meter, length)]


def _measure(item: Any, meter: Meter, length: int) -> Iterator[dict[str, Any]]:
    values = LargeValues("none", lambda: None)  # type: ignore[arg-type, return-value]
    backend = Backend(
        Ports(
            table=PlainTable(item, values),
            blobs=FakeBlobs(),
            executions=FakeExecutions(),
            purge_queue=FakePurgeQueue(),
            model=ScriptedModel(),
            catalog=Catalog({"m": ModelRoute(context=CONTEXT)}, endpoint_configured=True),
            clock=FakeClock(time.time()),
            auth="open",
        )
    )
    api = Client(create_app(backend))
    project = backend.api_keys.identify("Bearer sk-test")
    thread_id = api.post("/threads")["id"]
    ids = _fill(item, Rows(item, values), project, thread_id, length)
    url = f"/threads/{thread_id}/messages?limit=20"
    middle = f"{url}&after={ids[length // 2]}"
    yield {"messages": length, "what": "newest page of 20", **meter.of(lambda: api.get(url))}
    yield {"messages": length, "what": "page in the middle", **meter.of(lambda: api.get(middle))}
    assistant_id = api.post("/assistants", {"model": "m"})["id"]
    for name, strategy in (
        ("prompt, last 20", {"type": "last_messages", "last_messages": 20}),
        (f"prompt, {CONTEXT} tokens", {"type": "auto"}),
    ):
        body = {"assistant_id": assistant_id, "truncation_strategy": strategy}
        run_id = api.post(f"/threads/{thread_id}/runs", body)["id"]
        ask = partial(
            backend.turns.service.prompts.request,
            backend.runs.repository.load(RunRef(project, thread_id, run_id)),
            (),
        )
        yield {"messages": length, "what": name, **meter.of(ask)}
        backend.runs.termination.end(RunRef(project, thread_id, run_id))


def _fill(item: Any, rows: Rows, project: ProjectId, thread_id: ThreadId, length: int) -> list[str]:
    """Write so many messages of random words; return their ids, oldest first."""
    ids = [new_id(MESSAGE) for _ in range(length)]
    with item.batch_write() as batch:
        for message_id in ids:
            text = " ".join(random.choices(_VOCABULARY, k=WORDS_EACH))
            body = MessageCreate(role="user", content=text)
            message = new_message(thread_id, body, int(time.time()), message_id)
            batch.save(rows.to_item(row_of(project, message)))
    return ids


_VOCABULARY = ["".join(random.choices("aeioubcdfglmnprst", k=5)) for _ in range(2000)]


@contextmanager
def _dynalite() -> Iterator[str]:
    """Start dynalite in memory, and yield its endpoint."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        install = ["npm", "install", "--silent", "--no-audit", "--no-fund", DYNALITE]
        subprocess.run(install, cwd=folder, check=True)
        command = [f"{folder}/node_modules/.bin/dynalite", "--port", str(port)]
        server = subprocess.Popen([*command, "--createTableMs", "0"], stdout=subprocess.DEVNULL)
        try:
            _wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.kill()
            server.wait()


def _wait_for(port: int) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
