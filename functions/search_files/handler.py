"""State SearchFiles: answer one file_search call."""

from typing import Any

from assistants.bootstrap import backend
from assistants.domain.ids import RunRef
from assistants.telemetry import logger


def handler(event: dict[str, Any], _: Any) -> None:
    """`{project, thread, run, call}` in. The answer is in the table when the state ends."""
    logger.append_keys(run_id=event["run"], thread_id=event["thread"])
    backend().turns.tool_calls.answer(RunRef.from_state(event), event["call"])
