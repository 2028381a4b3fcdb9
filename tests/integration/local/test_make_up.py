"""`python -m infra.local` serves until it is stopped, and says in one sentence why it cannot."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.local import synthesis
from infra.local.synthesis import SynthesisError, cached_assembly


@contextmanager
def program(**environment: str) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.local"],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process
        process.kill()


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


def descendants(pid: int) -> set[int]:
    """All living processes below `pid`."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        fields = status.read_text().rpartition(")")[2].split()
        parents[int(status.parent.name)] = int(fields[1])
    found: set[int] = set()
    while new := {child for child, parent in parents.items() if parent in found | {pid}} - found:
        found |= new
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_a_signal_and_leaves_no_process(number: signal.Signals) -> None:
    port = free_port()
    with program(ASSISTANTS_PORT=port) as process:
        assert process.stdout
        welcome = ""
        while "curl" not in welcome:
            line = process.stdout.readline()
            assert line, process.stderr.read() if process.stderr else ""
            welcome += line
        assert f'base_url="http://127.0.0.1:{port}/v1"' in welcome
        assert "State is in memory" in welcome
        assert "demo model" in welcome
        with pytest.raises(urllib.error.HTTPError):  # a function is started to refuse it
            urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/assistants")
        children = descendants(process.pid)
        assert len(children) >= 2
        process.send_signal(number)
        assert process.wait(20) == 0
        assert not any(Path(f"/proc/{child}").exists() for child in children)


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"ASSISTANTS_AUTH": "sometimes"}, "Parameter Auth is 'sometimes': it must be one of"),
        ({"ASSISTANTS_COLOUR": "blue"}, "No template has a parameter Colour."),
        (
            {"ASSISTANTS_MODELS": '{"gpt-4o": {"provider": "azure"}}'},
            "ASSISTANTS_MODELS, 'gpt-4o': provider: Input should be",
        ),
        ({"ASSISTANTS_MODELS": "gpt-4o"}, "ASSISTANTS_MODELS: "),
        (
            {"ASSISTANTS_EMBEDDING_MODEL": "gecko"},
            "embedding_model is bedrock:<model>, minilm, or one at embedding_url.",
        ),
        (
            {"ASSISTANTS_EMBEDDING_MODEL": "minilm"},
            "minilm has embedding_dimensions of 384.",
        ),
        ({"ASSISTANTS_PORT": "many"}, "ASSISTANTS_PORT is 'many': it must be a port number."),
        (
            {"ASSISTANTS_CONCURRENCY": "0"},
            "ASSISTANTS_CONCURRENCY is '0': it must be a positive number.",
        ),
    ],
)
def test_what_it_cannot_do_it_says_in_one_sentence(
    environment: dict[str, str], sentence: str
) -> None:
    with program(**{"ASSISTANTS_PORT": free_port(), **environment}) as process:
        _, errors = process.communicate(timeout=240)
    assert process.returncode == 1
    assert errors.startswith(sentence)
    assert errors.count("\n") == 1


def test_a_port_in_use_is_said_in_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with program(ASSISTANTS_PORT=str(port)) as process:
            _, errors = process.communicate(timeout=240)
    assert process.returncode == 1
    assert errors == (
        f"Cannot listen on 127.0.0.1:{port}: Address already in use. "
        "ASSISTANTS_HOST and ASSISTANTS_PORT choose another address.\n"
    )


def test_without_node_nothing_is_synthesized(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synthesis, "CACHE", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SynthesisError, match=r"Node\.js is needed"):
        cached_assembly()


def test_the_second_synthesis_is_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = cached_assembly().stacks
    monkeypatch.setattr(synthesis, "_synthesize", None)
    assert cached_assembly().stacks == first


def test_a_failing_synthesis_names_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synthesis, "CACHE", tmp_path)
    monkeypatch.setattr(synthesis, "PROGRAM", "raise ValueError('no such stack')")
    with pytest.raises(SynthesisError, match="ValueError: no such stack"):
        cached_assembly()
    assert list(tmp_path.iterdir()) == []
