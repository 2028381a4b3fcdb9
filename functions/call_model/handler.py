"""State CallModel: one turn of the model."""

from typing import Any

from assistants.bootstrap import backend
from assistants.domain.ids import RunRef
from assistants.telemetry import logger


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """`{project, thread, run, turn}` in; the next turn, `next` and `seconds_left` with them out."""
    logger.append_keys(run_id=event["run"], thread_id=event["thread"])
    return backend().turns.service.take(RunRef.from_state(event), event["turn"])
