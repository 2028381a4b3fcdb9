"""One small working double per port. No network, no AWS, no waiting."""

import copy
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from urllib.parse import quote, urlsplit

from assistants.domain.ids import EntryRef, ProjectId, RunRef
from assistants.ports.blobs import PIECE_BYTES, Blob, BlobMissingError
from assistants.ports.chat_model import (
    Delta,
    FinishDelta,
    ModelRequest,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
)
from assistants.ports.executions import Outcome
from assistants.ports.table import (
    ConflictError,
    Create,
    Delete,
    Key,
    Replace,
    Require,
    Row,
    Save,
    Write,
)

TRANSACTION_LIMIT = 100


class FakeTable:
    """A table in a dict, with the conditions and limits of the real one."""

    def __init__(self) -> None:
        self.rows: dict[Key, Row] = {}
        self._lock = threading.RLock()

    def get(self, *keys: Key) -> list[Row | None]:
        with self._lock:
            return [copy.deepcopy(self.rows.get(key)) for key in keys]

    def query(
        self,
        partition: str,
        prefix: str,
        *,
        after: str | None = None,
        before: str | None = None,
        limit: int,
        descending: bool = False,
        consistent: bool = True,
    ) -> list[Row]:
        with self._lock:
            keys = sorted(
                (
                    key
                    for key in self.rows
                    if key.partition == partition
                    and key.sort.startswith(prefix)
                    and (after is None or key.sort > after)
                    and (before is None or key.sort < before)
                ),
                key=lambda key: key.sort,
                reverse=descending,
            )
            return [copy.deepcopy(self.rows[key]) for key in keys[:limit]]

    def commit(self, *writes: Write) -> None:
        keys = {_key(write) for write in writes}
        if len(keys) < len(writes) or len(writes) > TRANSACTION_LIMIT:
            raise ValueError("a transaction has 1 to 100 writes, each of another row")
        with self._lock:
            failed = {
                position: copy.deepcopy(self.rows.get(_key(write)))
                for position, write in enumerate(writes)
                if not self._allowed(write)
            }
            if failed:
                raise ConflictError(failed)
            for write in writes:
                self._apply(write)

    def _apply(self, write: Write) -> None:
        match write:
            case Create(row) | Save(row) | Replace(_, row):
                # What a real table gives back has been JSON on the way.
                self.rows[row.key] = replace(row, body=json.loads(json.dumps(row.body)))
            case Delete(key):
                self.rows.pop(key, None)

    def keys(self, partition: str, prefix: str, *, limit: int) -> list[Key]:
        return [row.key for row in self.query(partition, prefix, limit=limit)]

    def clear(self, partition: str, *, limit: int) -> bool:
        for key in self.keys(partition, "", limit=limit):
            del self.rows[key]
        return not self.keys(partition, "", limit=1)

    def due(self, until: int, *, limit: int) -> list[Key]:
        rows = [row for row in self.rows.values() if row.due_at is not None]
        rows.sort(key=lambda row: row.due_at or 0)
        return [row.key for row in rows if (row.due_at or 0) <= until][:limit]

    def _allowed(self, write: Write) -> bool:
        known = self.rows.get(_key(write))
        match write:
            case Create():
                return known is None
            case Replace(old, _):
                return known is not None and known.revision == old.revision
            case Delete(_, revision, expected):
                if known is None:
                    return not expected
                return revision is None or known.revision == revision
            case Require(_, present):
                return (known is not None) == present
            case _:
                return True


def _key(write: Write) -> Key:
    match write:
        case Create(row) | Save(row) | Replace(_, row):
            return row.key
        case Delete(key) | Require(key):
            return key


class FakeClock:
    """Time that moves when it is set or slept through, and by `step` when it is read."""

    def __init__(self, now: float = 1_800_000_000.0, step: float = 0.0) -> None:
        self.now = now
        self.step = step

    def time(self) -> float:
        self.now += self.step
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class FakeExecutions:
    """Records what was started and which waits were ended."""

    def __init__(self) -> None:
        self.started: list[RunRef] = []
        self.resumed: list[tuple[str, Outcome]] = []

    def start(self, ref: RunRef) -> None:
        self.started.append(ref)

    def resume(self, token: str, outcome: Outcome) -> bool:
        self.resumed.append((token, outcome))
        return True


class FakePurgeQueue:
    """Records which objects are to be purged."""

    def __init__(self) -> None:
        self.sent: list[tuple[ProjectId, str]] = []

    def send(self, project: ProjectId, identifier: str) -> None:
        self.sent.append((project, identifier))


class FakeIndexQueue:
    """Records which entries of vector stores are to be processed."""

    def __init__(self) -> None:
        self.sent: list[EntryRef] = []

    def send(self, *entries: EntryRef) -> None:
        self.sent += entries


class FakeBlobs:
    """Bytes in a dict; a URL names the blob, and `put` does what a PUT to it does."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self.copied: list[tuple[str, str]] = []

    def write(self, name: str, pieces: Iterable[bytes]) -> int:
        content = b"".join(pieces)
        self.contents[name] = content
        return len(content)

    def read(self, name: str) -> Iterator[bytes]:
        if name not in self.contents:
            raise BlobMissingError(name)
        content = self.contents[name]
        places = range(0, len(content), PIECE_BYTES)
        return (content[start : start + PIECE_BYTES] for start in places)

    def copy(self, source: str, target: str) -> None:
        if source not in self.contents:
            raise BlobMissingError(source)
        self.contents[target] = self.contents[source]
        self.copied.append((source, target))

    def list(self, prefix: str) -> list[Blob]:
        names = sorted(name for name in self.contents if name.startswith(prefix))
        return [Blob(name, len(self.contents[name])) for name in names]

    def delete(self, names: Sequence[str]) -> None:
        for name in names:
            self.contents.pop(name, None)

    def download_url(self, name: str, *, filename: str, mime_type: str, seconds: int) -> str:
        return f"https://blobs.test/{name}?as={quote(filename)}&type={mime_type}&for={seconds}"

    def upload_url(self, name: str, *, size: int | None, seconds: int) -> str:
        return f"https://blobs.test/{name}?size={size}&for={seconds}"

    def put(self, url: str, content: bytes) -> None:
        self.contents[urlsplit(url).path.lstrip("/")] = content


Script = list[Delta | str | Exception | Callable[[], None]]


class ScriptedModel:
    """Plays one script per turn: deltas, strings for text, things to do, or an error to raise.

    A turn that says nothing else about its end stops as an answer does.
    """

    def __init__(self, *turns: Script) -> None:
        self.turns = list(turns)
        self.requests: list[ModelRequest] = []

    def stream(self, request: ModelRequest) -> Iterator[Delta]:
        self.requests.append(request)
        script = self.turns.pop(0)
        for item in script:
            if isinstance(item, Exception):
                raise item
            if isinstance(item, str):
                yield TextDelta(item)
            elif isinstance(item, TextDelta | RefusalDelta | ToolCallDelta | FinishDelta):
                yield item
            else:
                item()
        if not any(isinstance(item, FinishDelta) and item.reason for item in script):
            yield FinishDelta("stop")
