"""Run each minute: settle whatever is overdue, and keep spare sandboxes ready."""

from typing import Any

from assistants.bootstrap import backend
from assistants.telemetry import logger


def handler(_event: dict[str, Any], _context: Any) -> None:
    logger.info("settled what is overdue", extra={"count": backend().overdue.sweep()})
    backend().spare_sessions.keep()
