"""Run each minute: settle whatever is overdue, and keep spare sandboxes ready."""

from typing import Any

from assistants.bootstrap import backend
from assistants.telemetry import logger


def handler(_event: dict[str, Any], _context: Any) -> None:
    logger.info("processed due rows", extra={"count": backend().maintenance.sweeper.sweep()})
    backend().tools.warm_pool.keep()
