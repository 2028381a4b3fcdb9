"""The code interpreter of the service with a real daemon: directly, and by the proxy's calls."""

from __future__ import annotations

import io
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pydantic import ValidationError

from assistants.adapters.sandbox.calls import answer
from assistants.adapters.sandbox.client import SandboxClient
from assistants.adapters.sandbox.direct_session import DirectSession
from assistants.adapters.sandbox.proxied_session import ProxiedSession, SandboxProxy
from assistants.ports.blobs import BlobMissingError
from assistants.ports.chat_model import ToolCallDelta
from assistants.ports.sandbox import SandboxLostError, SandboxRefusedError, SandboxSession
from infra.local.process_sandbox import ProcessSandbox
from tests.support.deployment import Deployment
from tests.support.fakes import FakeBlobs, FakeClock, Script
from tests.support.process_sandboxes import ProcessSandboxes
from tests.support.sandbox_platforms import DAEMON

FILE = "files/p/file-1"
CSV = "day,sold\n1,10\n2,\n3,30\n"
CLEAN = """
import pandas as pd
sales = pd.read_csv('/mnt/data/sales.csv')
clean = sales.dropna()
clean.to_csv('/mnt/data/clean.csv', index=False)
len(clean)
"""
PLOT = "import matplotlib.pyplot as plt\nplt.plot(clean.day, clean.sold)\nplt.show()"


class ProxiedSandboxes(ProcessSandboxes):
    """Sessions are reached as on AWS, by calls in JSON; what the function logs is kept."""

    def open(self, address: str, token: str) -> Any:
        return ProxiedSession(SandboxProxy("proxy", lambda: self), address, token)  # type: ignore[arg-type,return-value]

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        answered = answer(super().open, json.loads(Payload))
        return {"Payload": io.BytesIO(json.dumps(answered).encode())}


KINDS = {"direct": ProcessSandboxes, "proxied": ProxiedSandboxes}


@contextmanager
def sandboxes(kind: str, blobs: FakeBlobs, **settings: str) -> Iterator[ProcessSandboxes]:
    running = KINDS[kind](ProcessSandbox(DAEMON, settings), blobs)
    launched: list[str] = []
    launch = running.launch

    def noted(name: str, token: str) -> str:
        launched.append(name)
        return launch(name, token)

    running.launch = noted  # type: ignore[method-assign]
    yield running
    for name in launched:
        running.stop(name)


@pytest.fixture(params=KINDS)
def session(request: pytest.FixtureRequest) -> Iterator[tuple[SandboxSession, FakeBlobs]]:
    blobs, token = FakeBlobs(), secrets.token_urlsafe(32)
    with sandboxes(request.param, blobs, PRELOAD="") as running:
        address = running.address(running.launch("one", token))
        assert address
        yield running.open(address, token), blobs


def run(session: SandboxSession, id: str, code: str) -> Any:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if done := session.execute(id, code, seconds=20, wait=1):
            return done
    raise TimeoutError


def test_a_session_runs_code_once_under_an_id(session: tuple[SandboxSession, FakeBlobs]) -> None:
    box, _ = session
    assert box.ready(10)
    first = run(box, "a", "n = globals().get('n', 0) + 1; print(n)")
    assert run(box, "a", "n = globals().get('n', 0) + 1; print(n)") == first
    assert (first.ok, first.logs, first.images, first.files) == (True, "1\n", (), ())


def test_files_go_through_blobs_in_both_directions(
    session: tuple[SandboxSession, FakeBlobs],
) -> None:
    box, blobs = session
    data = secrets.token_bytes(3_000_001)
    blobs.contents[FILE] = data
    box.put("in put.bin", FILE, len(data))
    done = run(box, "a", "open('out', 'wb').write(open('/mnt/data/in put.bin', 'rb').read()[::-1])")
    assert [file.path for file in done.files] == ["out"]
    assert box.take("out", "files/p/file-2") == len(data)
    assert blobs.contents["files/p/file-2"] == data[::-1]


def test_a_blob_that_is_gone_is_missing(session: tuple[SandboxSession, FakeBlobs]) -> None:
    with pytest.raises(BlobMissingError):
        session[0].put("x", FILE, 1)


def test_a_file_that_is_not_there_is_refused_and_writes_no_blob(
    session: tuple[SandboxSession, FakeBlobs],
) -> None:
    box, blobs = session
    with pytest.raises(SandboxRefusedError, match="no_such_file"):
        box.take("none", FILE)
    assert blobs.contents == {}


def test_a_running_execution_can_be_cancelled(session: tuple[SandboxSession, FakeBlobs]) -> None:
    box, _ = session
    assert box.execute("a", "import time; time.sleep(60)", seconds=60, wait=0) is None
    box.cancel("a")
    assert run(box, "a", "import time; time.sleep(60)").reason == "cancelled"


def test_images_are_fetched_by_their_number(session: tuple[SandboxSession, FakeBlobs]) -> None:
    box, blobs = session
    shown = "from IPython.display import display\nfrom PIL import Image\n"
    done = run(box, "a", shown + "for n in (3, 5): display(Image.new('RGB', (n, n)))")
    assert [image.mime_type for image in done.images] == ["image/png"] * 2
    assert box.take_image("a", 1, FILE) == done.images[1].size
    assert blobs.contents[FILE].startswith(b"\x89PNG")
    with pytest.raises(SandboxRefusedError, match="no_such_image"):
        box.take_image("a", 2, FILE)


@pytest.mark.parametrize("kind", KINDS)
def test_a_session_that_ended_is_lost(kind: str) -> None:
    with sandboxes(kind, FakeBlobs(), PRELOAD="") as running:
        handle = running.launch("one", "token")
        address = running.address(handle)
        assert address
        session = running.open(address, "token")
        assert session.ready(10)
        with pytest.raises(SandboxLostError):
            running.open(address, "another").execute("a", "1", seconds=1, wait=0)
        running.stop(handle)
        assert session.ready(0) is False
        with pytest.raises(SandboxLostError):
            session.execute("a", "1", seconds=1, wait=0)
        with pytest.raises(SandboxLostError):
            running.address(handle)


def test_a_session_is_waited_for_until_it_answers() -> None:
    client = SandboxClient("http://127.0.0.1:1", "token")
    assert DirectSession(client, FakeBlobs()).ready(0.5) is False


@pytest.mark.parametrize(
    "call",
    [
        {"method": "end"},
        {"method": "put", "path": "x", "blob": "values/secret", "size": 1},
        {"method": "take", "path": "x", "blob": "files/../values/x/y"},
        {"method": "execute", "id": "a", "code": "1", "seconds": 1, "wait": 26},
        {"method": "ready", "wait": 1, "more": 1},
    ],
)
def test_a_request_out_of_form_is_refused_without_repeating_it(call: dict[str, Any]) -> None:
    request = {"address": "http://10.0.0.1:8080", "token": "very-secret", "call": call}
    with pytest.raises(ValidationError) as refused:
        answer(lambda address, token: pytest.fail("opened"), request)
    assert "very-secret" not in str(refused.value)


@pytest.mark.parametrize("address", ["http://example.com:80", "https://10.0.0.1:1", "file:///etc"])
def test_only_addresses_are_opened(address: str) -> None:
    request = {"address": address, "token": "t", "call": {"method": "ready", "wait": 0}}
    with pytest.raises(ValidationError):
        answer(lambda address, token: pytest.fail("opened"), request)


def call(code: str) -> Script:
    return [ToolCallDelta(0, "x", "code_interpreter", json.dumps({"code": code}))]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stream", [False, True])
def test_a_csv_becomes_a_plot_and_a_cleaned_csv_and_variables_stay(kind: str, stream: bool) -> None:
    blobs = FakeBlobs()
    with sandboxes(kind, blobs) as running:
        service = Deployment(
            call(CLEAN),
            call(PLOT),
            ["Here: [clean.csv](sandbox:/mnt/da", "ta/clean.csv)."],
            call("print(clean.sold.sum())"),
            ["It is 40, see sandbox:/mnt/data/clean.csv"],
            blobs=blobs,
            sandboxes=running,
            clock=RealClock(),
        )
        file_id = service.file(CSV, "sales.csv")
        resources = {"code_interpreter": {"file_ids": [file_id]}}
        assistant = service.assistant(
            tools=[{"type": "code_interpreter"}], tool_resources=resources
        )
        thread = service.thread("Clean and plot this.")
        first = finished(service, thread, assistant, stream)
        plotted, cleaned, text = shown(service, first)
        assert blobs.contents[f"files/{service.project}/{plotted}"].startswith(b"\x89PNG")
        assert blobs.contents[f"files/{service.project}/{cleaned}"] == b"day,sold\n1,10.0\n3,30.0\n"
        assert text == "Here: [clean.csv](sandbox:/mnt/data/clean.csv)."
        second = finished(service, thread, assistant, stream)
        [spoken] = service.messages(second)[-1]["content"]
        assert spoken["text"]["annotations"][0]["file_path"] == {"file_id": cleaned}
        [code] = service.steps(second)[0]["step_details"]["tool_calls"]
        outputs = code["code_interpreter"]["outputs"]
        assert outputs == [{"type": "logs", "logs": "40.0\n"}]
        prompt = json.dumps(service.model.requests[0].messages)
        assert "/mnt/data/sales.csv" in prompt


class RealClock(FakeClock):
    def time(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def finished(service: Deployment, thread: str, assistant: str, stream: bool) -> dict[str, Any]:
    if stream:
        events = service.api.stream(f"/threads/{thread}/runs", {"assistant_id": assistant})
        run = next(event.data for event in events if event.name == "thread.run.completed")
    else:
        run = service.run(thread, assistant_id=assistant)
    assert run["status"] == "completed", run
    return dict(run)


def shown(service: Deployment, run: dict[str, Any]) -> tuple[str, str, str]:
    """Return the ids of the plot and of the cleaned file that the answer shows, and its text."""
    [image, text] = service.messages(run)[-1]["content"]
    [annotation] = text["text"]["annotations"]
    value = text["text"]["value"]
    assert value[annotation["start_index"] : annotation["end_index"]] == annotation["text"]
    assert annotation["text"] == "sandbox:/mnt/data/clean.csv"
    return image["image_file"]["file_id"], annotation["file_path"]["file_id"], value
