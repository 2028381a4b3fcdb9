"""Run each minute: process the rows that are due, and refill the warm pool."""

from typing import Any

from assistants.bootstrap import backend
from assistants.telemetry import logger


def handler(_event: dict[str, Any], _context: Any) -> None:
    logger.info("processed due rows", extra={"count": backend().maintenance.sweeper.sweep()})
    backend().tools.warm_pool.keep()
