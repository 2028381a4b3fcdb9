"""A run that has begun, and a clock by which things happen to it while its stream waits."""

from collections.abc import Callable
from typing import Any

from tests.support.api_client import Event
from tests.support.deployment import Deployment, path
from tests.support.fakes import FakeClock


class EventfulClock(FakeClock):
    """Things happen at their time, in seconds from the beginning, while somebody sleeps."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []
        self.happenings: list[tuple[float, Callable[[], Any]]] = []
        self._begun = self.now

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.slept.append(seconds)
        if self.happenings and self.now - self._begun >= self.happenings[0][0]:
            self.happenings.pop(0)[1]()


def started(
    *script: Any, run_ttl_seconds: int = 100
) -> tuple[Deployment, EventfulClock, dict[str, Any]]:
    clock = EventfulClock()
    deployment = Deployment([*script], machine=False, clock=clock, run_ttl_seconds=run_ttl_seconds)
    return deployment, clock, deployment.run()


def stream(deployment: Deployment, run: dict[str, Any], last: str = "0") -> list[Event]:
    headers = {"last-event-id": last}
    answer = deployment.api.request("GET", f"{path(run)}/events", headers=headers)
    assert answer.status == 200
    return answer.events
