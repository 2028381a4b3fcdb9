"""State CallModel: take one turn of the model."""

from typing import Any

from assistants.bootstrap import backend
from assistants.domain.ids import RunRef
from assistants.telemetry import logger


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Take `{project, thread, run, turn}`; return the next turn's, `next` and `seconds_left`."""
    logger.append_keys(run_id=event["run"], thread_id=event["thread"])
    return backend().turns.service.take(RunRef.from_state(event), event["turn"])
