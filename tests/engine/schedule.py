"""Actors that take turns: one of them runs at a time, as far as its next stop.

Every interleaving of what several processes do to one table is a sequence of such steps, and a
process can be killed at each of them. Whoever chooses the steps chooses the interleaving.
"""

import threading
from collections.abc import Callable
from typing import Any

from tests.support.crashes import Killed

_this = threading.local()


class Actor:
    """Work in a thread of its own, which moves only inside of `step`."""

    def __init__(self, name: str, work: Callable[[], Any]) -> None:
        self.name = name
        self.at = "its start"
        self.ended = False
        self.killed = False
        self.repeats_write = False
        self.result: Any = None
        self.error: Exception | None = None
        self._work = work
        self._go = threading.Semaphore(0)
        self._stopped = threading.Semaphore(0)
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def __repr__(self) -> str:
        return f"{self.name} at {self.at}"

    def step(self) -> None:
        """Let it go on to its next stop, or to its end."""
        self._go.release()
        self._stopped.acquire()

    def kill(self) -> None:
        """End it at its present step: its writes remain, and nothing more follows."""
        self.killed = True
        while not self.ended:
            self.step()

    def stop(self, where: str) -> None:
        """Wait for the next step; called by the actor's own thread."""
        self.at = where
        self._stopped.release()
        self._go.acquire()
        if self.killed:
            raise Killed

    def _run(self) -> None:
        self._go.acquire()
        _this.actor = self
        try:
            if not self.killed:
                self.result = self._work()
                self.stop("its end")
        except Killed:
            pass
        except Exception as error:  # the machine judges what an invocation raises
            self.error = error
        finally:
            self.ended = True
            self._stopped.release()


def current() -> Actor | None:
    """Return the actor whose thread this is."""
    return getattr(_this, "actor", None)


def stop(where: str) -> None:
    """Let others come between at this place; outside of an actor, do nothing."""
    if (actor := current()) is not None:
        actor.stop(where)
