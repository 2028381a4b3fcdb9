"""The purge queue's function: all messages of a batch share its time, less a reserve."""

import json
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

HANDLER = Path(__file__).parents[3] / "functions/purge/handler.py"


class Context:
    """Of an invocation that has a minute, of which each message takes 15 seconds."""

    def __init__(self) -> None:
        self._left = 75_000

    def get_remaining_time_in_millis(self) -> int:
        self._left -= 15_000
        return self._left


class Worker:
    """In place of the purge."""

    def __init__(self) -> None:
        self.worked: list[tuple[str, str, float]] = []

    def work(self, project: str, identifier: str, *, seconds: float) -> None:
        self.worked.append((project, identifier, seconds))
        if identifier == "bad":
            raise ValueError("not now")


@pytest.fixture
def module() -> ModuleType:
    spec = spec_from_file_location("purge_handler", HANDLER)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def record(identifier: str) -> dict[str, Any]:
    body = json.dumps({"project": "proj", "id": identifier})
    return {"messageId": identifier, "body": body, "eventSource": "aws:sqs", "attributes": {}}


def test_a_batch_ends_ten_seconds_before_its_function(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker()
    maintenance = SimpleNamespace(purge=worker)
    monkeypatch.setattr(module, "backend", lambda: SimpleNamespace(maintenance=maintenance))
    records = [record("thread_a"), record("bad"), record("vs_b")]
    answer = module.handler({"Records": records}, Context())
    assert worker.worked == [("proj", "thread_a", 50), ("proj", "bad", 35), ("proj", "vs_b", 20)]
    assert answer == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
