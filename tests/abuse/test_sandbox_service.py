"""Abuse 86 and 87: the HTTP interface itself, and two sessions side by side."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from assistants.adapters.sandbox.client import SandboxClient
from assistants.ports.sandbox import SandboxLostError
from functions.sandbox.sandboxd.http_server import Server
from tests.support.sandbox_platforms import Session, session

pytestmark = pytest.mark.abuse(86)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic {token}", "{token}"])
@pytest.mark.parametrize("path", ["/v1/health", "/v1/files/x", "/v1/exec/x", "/nowhere"])
def test_nothing_is_said_without_the_token(sandbox: Session, header: str, path: str) -> None:
    status, body = sandbox.http("GET", path, Authorization=header.format(token=sandbox.token))
    assert (status, body) == (401, {"error": {"code": "unauthorized"}})


def test_another_sessions_token_means_that_the_session_is_lost(sandbox: Session) -> None:
    stranger = SandboxClient(f"http://127.0.0.1:{sandbox.port}", "another token")
    with pytest.raises(SandboxLostError):
        stranger.health()


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({"id": "x"}, "invalid_code"),
        ({"id": "x", "code": 1}, "invalid_code"),
        ({"id": "x", "code": "\ud800"}, "invalid_code"),
        ({"id": "x", "code": "#" * (1 << 20) + "x"}, "invalid_code"),
        ({"id": "", "code": "1"}, "invalid_id"),
        ({"id": "../x", "code": "1"}, "invalid_id"),
        ({"id": "x" * 129, "code": "1"}, "invalid_id"),
        ({"id": 1, "code": "1"}, "invalid_id"),
        ({"id": "x", "code": "1", "timeout": "soon"}, "invalid_seconds"),
        ({"id": "x", "code": "1", "timeout": float("nan")}, "invalid_seconds"),
        ({"id": "x", "code": "1", "timeout": -1}, "invalid_seconds"),
        ({"id": "x", "code": "1", "timeout": 601}, "invalid_seconds"),
        ({"id": "x", "code": "1", "wait": 26}, "invalid_seconds"),
        ([], "invalid_json"),
    ],
)
def test_orders_out_of_bounds_are_refused(sandbox: Session, order: object, code: str) -> None:
    status, body = sandbox.http("POST", "/v1/exec", json.dumps(order).encode())
    assert (status, body["error"]["code"]) == (400, code)


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000])
def test_bodies_that_are_no_json_are_refused(sandbox: Session, body: bytes) -> None:
    status, answer = sandbox.http("POST", "/v1/exec", body)
    assert (status, answer["error"]["code"]) == (400, "invalid_json")


def raw(sandbox: Session, head: str, body: bytes = b"") -> bytes:
    """Send bytes as they are and return the answer's first line."""
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=10) as connection:
        lines = f"{head}\r\nAuthorization: Bearer {sandbox.token}\r\n\r\n"
        connection.sendall(lines.encode() + body)
        return connection.makefile("rb").readline()


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("POST /v1/exec HTTP/1.1", 411),
        ("POST /v1/exec HTTP/1.1\r\nTransfer-Encoding: chunked", 411),
        ("POST /v1/exec HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3", 411),
        ("POST /v1/exec HTTP/1.1\r\nContent-Length: -1", 400),
        ("POST /v1/exec HTTP/1.1\r\nContent-Length: 99999999", 413),
        ("PUT /v1/files/x HTTP/1.1\r\nContent-Length: 999999999999", 413),
        ("GET /" + "x" * 70_000 + " HTTP/1.1", 414),
        ("GET / HTTP/1.1\r\n" + "\r\n".join(f"X-{n}: x" for n in range(200)), 431),
        ("BREW / HTTP/1.1", 501),
        ("PATCH /v1/health HTTP/1.1", 501),
        ("DELETE /v1/health HTTP/1.1", 404),
        ("POST /v1/files/x HTTP/1.1\r\nContent-Length: 0", 404),
        ("POST /v1/exec/unknown/cancel HTTP/1.1\r\nContent-Length: 0", 404),
    ],
)
def test_requests_out_of_shape_get_their_status(sandbox: Session, head: str, status: int) -> None:
    assert f" {status} " in raw(sandbox, head).decode() + " "


def test_an_upload_that_breaks_off_leaves_nothing(sandbox: Session) -> None:
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=10) as connection:
        head = f"PUT /v1/files/broken HTTP/1.1\r\nAuthorization: Bearer {sandbox.token}\r\n"
        connection.sendall((head + "Content-Length: 10\r\n\r\nhalf").encode())
        connection.shutdown(socket.SHUT_WR)
        assert b" 400 " in connection.makefile("rb").readline()
    listed = sandbox.run("import os; print([n for n in os.listdir('.') if 'b' in n[:2]])")
    assert "broken" not in listed.logs
    assert ".upload" not in sandbox.run("print(os.listdir('.'))").logs


def test_an_upload_cannot_replace_a_directory(sandbox: Session) -> None:
    sandbox.run("import os; os.makedirs('folder', exist_ok=True)")
    status, body = sandbox.http("PUT", "/v1/files/folder", b"x")
    assert (status, body["error"]["code"]) == (409, "cannot_store")


def test_a_replayed_id_runs_once(sandbox: Session) -> None:
    code = "runs = globals().get('runs', 0) + 1; print(runs)"
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: sandbox.client.run("replayed", code), range(8)))
    assert {result.logs for result in results} == {"1\n"}
    assert sandbox.run("print(runs)").logs == "1\n"


def test_an_id_cannot_be_used_for_other_code(sandbox: Session) -> None:
    sandbox.client.run("taken", "1")
    order = json.dumps({"id": "taken", "code": "2"}).encode()
    status, body = sandbox.http("POST", "/v1/exec", order)
    assert (status, body["error"]["code"]) == (409, "id_used_for_other_code")


def test_an_unknown_execution_means_that_the_session_is_lost(sandbox: Session) -> None:
    with pytest.raises(SandboxLostError):
        sandbox.client.result("never-sent")


def test_to_cancel_what_a_full_session_did_not_take_loses_nothing(sandbox: Session) -> None:
    sandbox.run("kept = 1")
    sandbox.client.cancel("never-sent")
    assert sandbox.run("print(kept)").logs == "1\n"


def test_executions_run_one_after_another_in_the_order_they_came(sandbox: Session) -> None:
    sandbox.run("order = []")
    for n in range(10):
        started = sandbox.client.start(
            {"id": f"queued-{n}", "code": f"order.append({n})", "timeout": 5}
        )
        assert started is None or started.ok
    assert sandbox.run("print(order)").logs == f"{list(range(10))}\n"


def test_a_full_queue_is_said(sandbox: Session) -> None:
    sandbox.client.start({"id": "slow", "code": "import time; time.sleep(60)", "timeout": 60})
    codes = []
    for n in range(20):
        order = json.dumps({"id": f"crowd-{n}", "code": "1"}).encode()
        codes.append(sandbox.http("POST", "/v1/exec", order)[0])
    assert codes[:15] == [202] * 15
    assert codes[-1] == 429
    sandbox.client.cancel("slow")
    assert sandbox.client.result("slow") is not None


def test_a_running_execution_can_be_cancelled_and_keeps_its_state(sandbox: Session) -> None:
    sandbox.run("kept = 1")
    order = {"id": "long", "code": "import time; time.sleep(60)", "timeout": 60}
    assert sandbox.client.start(order) is None
    time.sleep(0.2)
    sandbox.client.cancel("long")
    result = sandbox.client.result("long")
    assert result is not None
    assert (result.reason, result.lost) == ("cancelled", False)
    assert sandbox.run("print(kept)").logs == "1\n"


def test_a_waiting_execution_that_is_cancelled_never_runs(sandbox: Session) -> None:
    sandbox.run("ran = False")
    sandbox.client.start({"id": "first", "code": "import time; time.sleep(60)", "timeout": 60})
    sandbox.client.start({"id": "second", "code": "ran = True", "timeout": 5})
    sandbox.client.cancel("second")
    sandbox.client.cancel("first")
    result = sandbox.client.result("second")
    assert result is not None
    assert (result.reason, result.ok) == ("cancelled", False)
    assert sandbox.run("print(ran)").logs == "False\n"


def test_a_cancel_that_comes_too_late_changes_nothing(sandbox: Session) -> None:
    before = sandbox.client.run("finished", "print(1)")
    sandbox.client.cancel("finished")
    assert sandbox.client.result("finished") == before
    assert sandbox.run("print(2)").logs == "2\n"


def test_cancels_at_any_moment_leave_a_session_that_works(sandbox: Session) -> None:
    for n in range(25):
        execution_id = f"race-{n}"
        sandbox.client.start({"id": execution_id, "code": "sum(range(100_000))", "timeout": 5})
        time.sleep(n / 5000)
        sandbox.client.cancel(execution_id)
        result = sandbox.client.result(execution_id)
        assert result is not None
        assert result.reason in (None, "cancelled")
        assert not result.lost
    assert sandbox.run("print('fine')").logs == "fine\n"


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=10)


@pytest.fixture
def impatient() -> Iterator[Server]:
    """A server that gives strangers a tenth of a second."""
    server = Server(("127.0.0.1", 0), "0" * 64, lambda _: None, stranger_seconds=0.1)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_who_talks_too_slowly_to_show_the_token_is_disconnected(impatient: Server) -> None:
    with connect(impatient) as connection:
        for byte in b"GET":
            connection.send(bytes([byte]))
            time.sleep(0.05)
        impatient.disconnect_strangers()
        assert connection.recv(1) == b""


def test_connections_are_limited(impatient: Server) -> None:
    connections = [connect(impatient) for _ in range(65)]
    assert connections[-1].recv(1) == b""
    for connection in connections:
        connection.close()


@pytest.mark.abuse(87)
@pytest.mark.parametrize("kind", ["root", "user"])
def test_two_sessions_share_nothing(kind: str) -> None:
    with session(kind) as one, session(kind) as two:
        one.run("secret = 'of one'; open('file', 'w').write(secret)")
        assert "NameError" in two.run("print(secret)").logs
        assert two.run(
            "import os; print(os.listdir('/mnt/data'), os.listdir('/dev/shm'))"
        ).logs == ("[] []\n")
        search = (
            "found = []\n"
            "for directory in ('/proc/[0-9]*/root/mnt/data/file', '/tmp/**', '/var/tmp/**'):\n"
            "    import glob; found += [p for p in glob.glob(directory) if 'file' in p]\n"
            "print(found)"
        )
        assert two.run(search).logs == "[]\n"
        two.run("import os, signal; os.kill(-1, signal.SIGKILL)")
        assert one.run("print(secret)").logs == "of one\n"
