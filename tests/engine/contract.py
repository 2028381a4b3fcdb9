"""The contract of runs as a small model, checked against every write and every answer.

It follows the guide of the original API and takes nothing from the service.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from assistants.ports.table import Key, Row

LEGAL = {
    None: {"queued"},
    "queued": {"in_progress", "cancelling", "expired", "failed"},
    "in_progress": {
        "requires_action",
        "cancelling",
        "completed",
        "incomplete",
        "failed",
        "expired",
    },
    "requires_action": {"queued", "cancelling", "expired"},
    "cancelling": {"cancelled", "completed", "failed", "expired"},
}
ENDED = {"completed", "incomplete", "failed", "cancelled", "expired"}
# A message or a step that begins and ends in one write is never seen in progress.
MESSAGES: dict[str | None, set[str]] = {None: {"in_progress", "completed", "incomplete"}}
MESSAGES["in_progress"] = MESSAGES[None]
STEPS: dict[str | None, set[str]] = {
    None: {"in_progress", "completed", "failed", "cancelled", "expired"}
}
STEPS["in_progress"] = STEPS[None]
Rows = Mapping[Key, Row]


class StatusChange(NamedTuple):
    """A new status of a run; `moment` counts the writes, `time` is in Unix seconds."""

    moment: int
    status: str
    time: float


@dataclass
class Contract:
    """Watches every write. `moment` counts them, `history` holds each run's statuses, `threads` the
    runs of each thread, `deleted` and `deleted_messages` the threads and messages that are gone.
    """

    time: Callable[[], float]
    moment: int = 0
    history: dict[str, list[StatusChange]] = field(default_factory=lambda: defaultdict(list))
    threads: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    deleted: dict[str, int] = field(default_factory=dict)
    deleted_messages: set[str] = field(default_factory=set)

    def watch(self, before: Rows, after: Rows) -> None:
        """Check one write that has taken effect."""
        self.moment += 1
        changed = {key for key in {*before, *after} if before.get(key) is not after.get(key)}
        for key in sorted(changed, key=lambda key: (key.partition, key.sort)):
            self._changed(key, before, after)
        for partition in {key.partition for key in changed if "#t#" in key.partition}:
            self._check_lock(partition, after)

    def _changed(self, key: Key, before: Rows, after: Rows) -> None:
        old, new = before.get(key), after.get(key)
        match key.sort.partition("#")[0]:
            case kind if new is None:
                self._removed(key, kind, before)
            case "R":
                self._run_changed(key, old, new)
            case "E":
                self._appended(key, old, before)
            case "M":
                self._message_changed(key, old, new, before, after)
            case "S":
                _check(STEPS, old, new)

    def statuses(self, run_id: str) -> list[str]:
        return [taken.status for taken in self.history[run_id]]

    def status_in(self, run_id: str, began: int, ended: int) -> set[str]:
        """Return the statuses that a run had between two moments."""
        taken = self.history[run_id]
        untils = [*(each.moment for each in taken[1:]), self.moment + 1]
        return {
            each.status
            for each, until in zip(taken, untils, strict=True)
            if each.moment <= ended and until >= began
        }

    def active_in(self, thread_id: str, began: int, ended: int) -> set[str]:
        """Return the runs of a thread that were active between two moments."""
        return {
            run_id
            for run_id in self.threads[thread_id]
            if self.status_in(run_id, began, ended) - ENDED
        }

    def _removed(self, key: Key, kind: str, before: Rows) -> None:
        thread_id = key.partition.rpartition("#")[2]
        if key.sort == "THREAD":
            assert not _active(key.partition, before), "deleted under a run"
            self.deleted[thread_id] = self.moment
        elif kind == "M" and thread_id not in self.deleted:
            assert before[key].body["status"] != "in_progress", "deleted while it was written"
            self.deleted_messages.add(before[key].body["id"])
        elif kind in ("R", "S"):
            assert thread_id in self.deleted, f"{key.sort} vanished"

    def _run_changed(self, key: Key, old: Row | None, new: Row) -> None:
        run_id = "run_" + key.sort.removeprefix("R#")
        thread_id = key.partition.rpartition("#")[2]
        status = new.body["status"]
        if old is None:
            self.threads[thread_id].append(run_id)
        if old is None or old.body["status"] != status:
            _check(LEGAL, old, new)
            assert thread_id not in self.deleted, "a run of a deleted thread moved"
            self.history[run_id].append(StatusChange(self.moment, status, self.time()))
        assert (new.body["required_action"] is not None) == (status == "requires_action")
        assert (new.body["usage"] is not None) == (status in ENDED)
        assert (new.body["expires_at"] is None) == (status in ENDED - {"expired"})

    def _appended(self, key: Key, old: Row | None, before: Rows) -> None:
        assert old is None, "the journal was changed"
        written = sum(each.partition == key.partition and each.sort[0] == "E" for each in before)
        assert int(key.sort.removeprefix("E#")) == written, "the journal has a gap"

    def _message_changed(
        self, key: Key, old: Row | None, new: Row, before: Rows, after: Rows
    ) -> None:
        assert new.body["id"] not in self.deleted_messages, "a deleted message came back"
        if new.body["run_id"] is not None:
            if old is None or old.body["status"] != new.body["status"]:
                _check(MESSAGES, old, new)
        elif old is None:
            made = set(_active(key.partition, after)) - set(_active(key.partition, before))
            locked = Key(key.partition, "LOCK") in before
            assert made or not locked, "a message was added under a run"

    def _check_lock(self, partition: str, rows: Rows) -> None:
        active = _active(partition, rows)
        lock = rows.get(Key(partition, "LOCK"))
        assert active == ([lock.body["run_id"]] if lock else []), "lock and runs disagree"


def _active(partition: str, rows: Rows) -> list[str]:
    return [
        "run_" + key.sort.removeprefix("R#")
        for key, row in rows.items()
        if key.partition == partition
        and key.sort.startswith("R#")
        and row.body["status"] not in ENDED
    ]


def _check(legal: Mapping[Any, set[str]], old: Row | None, new: Row) -> None:
    was, is_ = old and old.body["status"], new.body["status"]
    assert is_ == was or is_ in legal.get(was, set()), f"{was} became {is_}"


def words(text: str) -> list[str]:
    """Find the words of the scripts in a text: each of them is `<number>`."""
    return re.findall(r"<\d+>", text)


def segments(events: list[Any]) -> Iterator[list[Any]]:
    """Split the events of a run into those of each stream: up to a wait, and from its end on."""
    part: list[Any] = []
    for event in events:
        part.append(event)
        if event.name == "thread.run.requires_action":
            yield part
            part = []
    if part:
        yield part
