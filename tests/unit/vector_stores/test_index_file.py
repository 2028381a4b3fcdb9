"""The index queue's function: a message that fails comes again soon, and five times at most."""

import json
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from assistants.domain.ids import EntryRef, ProjectId, VectorStoreId
from assistants.ports.search import SearchUnavailableError

HANDLER = Path(__file__).parents[3] / "functions/index_file/handler.py"
REF = EntryRef(ProjectId("proj"), VectorStoreId("vs_1"), "01abc")


class Worker:
    """In place of the indexing, and of the queue."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.processed: list[EntryRef] = []
        self.given_up: list[EntryRef] = []
        self.delays: list[tuple[str, int]] = []

    def process(self, ref: EntryRef) -> None:
        self.processed.append(ref)
        if self.error is not None:
            raise self.error

    def give_up(self, ref: EntryRef) -> None:
        self.given_up.append(ref)

    def delay(self, receipt: str, seconds: int) -> None:
        self.delays.append((receipt, seconds))


@pytest.fixture
def module() -> ModuleType:
    spec = spec_from_file_location("index_file_handler", HANDLER)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def received(module: ModuleType, worker: Worker, times: int) -> Any:
    module.indexing = module.index_queue = lambda: worker  # type: ignore[attr-defined]
    body = dict(zip(("project", "store", "entry"), REF, strict=True))
    record = {
        "messageId": "message",
        "receiptHandle": "receipt",
        "body": json.dumps(body),
        "attributes": {"ApproximateReceiveCount": str(times)},
        "eventSource": "aws:sqs",
    }
    return module.handler({"Records": [record]}, None)


def test_a_message_is_processed(module: ModuleType) -> None:
    worker = Worker()
    assert received(module, worker, 1) == {"batchItemFailures": []}
    assert (worker.processed, worker.given_up, worker.delays) == ([REF], [], [])


@pytest.mark.parametrize(("times", "seconds"), [(1, 15), (2, 30), (5, 240)])
def test_a_message_that_fails_comes_again_after_a_longer_pause_each_time(
    module: ModuleType, times: int, seconds: int
) -> None:
    worker = Worker(SearchUnavailableError("The index sleeps."))
    with pytest.raises(
        Exception, match="All records failed"
    ):  # which is how the queue learns of it
        received(module, worker, times)
    assert worker.delays == [("receipt", seconds)]
    assert worker.given_up == []


def test_the_sixth_time_the_file_fails_and_the_message_is_done(module: ModuleType) -> None:
    worker = Worker(SearchUnavailableError("The index sleeps."))
    assert received(module, worker, 6) == {"batchItemFailures": []}
    assert (worker.processed, worker.given_up, worker.delays) == ([], [REF], [])
