"""The file server as its image starts it, on the local stack's table and bucket."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx2
import openai
import pytest
from openai import OpenAI

from infra.local import LocalStack
from infra.repository import REPOSITORY
from tests.support.forms import HEADERS, Attached, form

SIZE = 64_000_000
GROWTH = 40_000_000  # bytes of memory: a part for S3 and its copies, far below the file
KEY = "sk-file-server"


class FileServer(NamedTuple):
    base_url: str
    pid: int

    def memory(self, name: str) -> int:
        """Read the bytes of `VmRSS` (now) or `VmHWM` (the peak)."""
        status = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        (line,) = (one for one in status if one.startswith(name))
        return int(line.split()[1]) * 1024


@pytest.fixture(scope="module")
def server(stack: LocalStack) -> Iterator[FileServer]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        **stack.functions["Api"].spec.environment,
        "AWS_ENDPOINT_URL": stack.endpoint_url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    command = [sys.executable, "-m", "uvicorn", "server:app", "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--lifespan", "off", "--log-level", "warning"],
        cwd=REPOSITORY / "functions/file_server",
        env=environment,
    )
    url = f"http://127.0.0.1:{port}/v1"
    try:
        _wait_for(url, process)
        yield FileServer(url, process.pid)
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        assert process.poll() is None, "the server has ended"
        try:
            assert httpx2.get(f"{url}/openapi.json").status_code == 200
        except httpx2.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server does not answer")


@pytest.fixture
def base_url(server: FileServer) -> str:
    return server.base_url


@pytest.fixture
def client(base_url: str) -> Iterator[OpenAI]:
    with OpenAI(base_url=base_url, api_key=KEY, max_retries=0) as client:
        yield client


@pytest.fixture
def at_the_gateway(stack: LocalStack) -> Iterator[OpenAI]:
    with OpenAI(base_url=stack.base_url, api_key=KEY, max_retries=0) as client:
        yield client


def test_a_large_file_passes_in_flat_memory_and_is_one_for_the_gateway(
    client: OpenAI, at_the_gateway: OpenAI, server: FileServer, tmp_path: Path
) -> None:
    client.files.delete(client.files.create(file=b"warm", purpose="vision").id)
    before = server.memory("VmRSS")
    path = tmp_path / "large.bin"
    path.write_bytes(os.urandom(1_000_000) * (SIZE // 1_000_000))
    with path.open("rb") as stream:
        file = client.files.create(file=stream, purpose="vision")
    assert server.memory("VmHWM") - before < GROWTH
    assert at_the_gateway.files.retrieve(file.id) == file
    assert at_the_gateway.files.content(file.id).read() == path.read_bytes()
    assert file in at_the_gateway.files.list().data
    at_the_gateway.files.delete(file.id)


def test_a_refusal_has_the_envelope(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.files.create(file=b"x", purpose="nonsense")  # type: ignore[arg-type]
    assert refused.value.param == "purpose"
    with pytest.raises(openai.AuthenticationError):
        client.files.list(extra_headers={"Authorization": ""})


@contextmanager
def half_sent(base_url: str) -> Iterator[tuple[socket.socket, bytes]]:
    """Send the first half of an upload; yield the connection and the rest, then hang up."""
    url = urlsplit(base_url)
    body = form({"purpose": "vision", "file": Attached(b"x" * 100_000)})
    head = (
        f"POST {url.path}/files HTTP/1.1\r\nHost: {url.netloc}\r\nConnection: close\r\n"
        f"Authorization: Bearer {KEY}\r\nContent-Length: {len(body)}\r\n"
        f"Content-Type: {HEADERS['content-type']}\r\n\r\n"
    )
    with socket.create_connection((url.hostname or "", url.port or 80), timeout=30) as wire:
        wire.sendall(head.encode() + body[:50_000])
        yield wire, body[50_000:]


def test_a_slow_sender_keeps_nobody_waiting(client: OpenAI, base_url: str) -> None:
    with half_sent(base_url) as (wire, rest):
        assert client.files.list(purpose="vision").data == []
        wire.sendall(rest)
        answer = b"".join(iter(lambda: wire.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200 ")
    (file,) = client.files.list(purpose="vision").data
    assert file.bytes == 100_000
    client.files.delete(file.id)


def test_a_sender_that_vanishes_leaves_nothing(client: OpenAI, base_url: str) -> None:
    with half_sent(base_url):
        pass
    assert client.files.list(purpose="vision").data == []
