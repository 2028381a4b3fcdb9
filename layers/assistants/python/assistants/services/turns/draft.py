"""Events of a turn that are not written yet, and the objects that they add up to."""

from dataclasses import dataclass, field
from typing import Any, Literal

from assistants.domain.events import STEP_OBJECT, EventName, EventSubject, event_name
from assistants.domain.ids import STEP, new_id
from assistants.domain.journal import Event, RunProjection
from assistants.domain.run import RunSettings
from assistants.domain.run_step import RunStep
from assistants.ports.clock import Clock


@dataclass
class Draft:
    settings: RunSettings
    clock: Clock
    _projection: RunProjection = field(default_factory=lambda: RunProjection(run={}))
    _pending: list[Event] = field(default_factory=list)
    _touched: dict[str, None] = field(default_factory=dict)

    @property
    def pending(self) -> bool:
        return bool(self._pending)

    def drain(self) -> tuple[tuple[Event, ...], list[dict[str, Any]]]:
        """Return the events since the last call, and the objects to write with them."""
        events = tuple(self._pending)
        for event in events:
            self._projection.apply(event)
        objects = [self._projection.objects[identifier] for identifier in self._touched]
        self._pending.clear()
        self._touched.clear()
        return events, objects

    def open_step(self, kind: Literal["message_creation", "tool_calls"], details: Any) -> str:
        """Open a step and return its id. Close the one before: stream readers allow no overlap."""
        step = RunStep(
            id=new_id(STEP),
            created_at=self.now(),
            assistant_id=self.settings.assistant_id,
            thread_id=self.settings.thread_id,
            run_id=self.settings.id,
            type=kind,
            step_details={"type": kind, kind: details},
        )
        self.create(STEP_OBJECT, step.model_dump(mode="json"))
        return step.id

    def create(self, subject: EventSubject, known: dict[str, Any]) -> None:
        self.emit(event_name(subject, "created"), known)
        self.change(subject, "in_progress", known["id"], {})

    def change(
        self, subject: EventSubject, status: str, identifier: str, members: dict[str, Any]
    ) -> None:
        """Set a new status, and members that go with it."""
        self.emit(event_name(subject, status), {"id": identifier, "status": status, **members})
        self.touch(identifier)

    def touch(self, identifier: str) -> None:
        """Have an object written with the next events, with everything its deltas have added."""
        self._touched[identifier] = None

    def emit(self, name: EventName, data: dict[str, Any]) -> None:
        self._pending.append(Event(name, data))

    def unwritten(self, name: EventName, member: str, index: int) -> dict[str, Any] | None:
        """Return the fragment that ends the pending events, if it continues the item at `index`.

        It can grow in place, so that a write holds one delta however many the model sent.
        """
        last = self._pending[-1] if self._pending else None
        if last is None or last.name != name:
            return None
        delta = last.data["delta"]
        fragment: dict[str, Any] = delta.get("step_details", delta)[member][0]
        return fragment if fragment["index"] == index else None

    def now(self) -> int:
        return int(self.clock.time())
