"""Each minute: set right whatever is overdue, and keep spare sessions waiting."""

from typing import Any

from assistants.bootstrap import backend
from assistants.telemetry import logger


def handler(_event: dict[str, Any], _context: Any) -> None:
    logger.info("looked at what is due", extra={"count": backend().maintenance.sweeper.sweep()})
    backend().tools.warm_pool.keep()
