"""A table on which somebody else is a little faster."""

from collections.abc import Callable
from typing import Any

from assistants.ports.table import Write
from tests.support.fakes import FakeTable


class RacingTable(FakeTable):
    """Calls `rival` once, just before the next write."""

    rival: Callable[[], Any] | None = None

    def commit(self, *writes: Write) -> None:
        if self.rival is not None:
            act, self.rival = self.rival, None
            act()
        super().commit(*writes)
