"""State FinishRun: end a run that the state machine could not end."""

import json
from typing import Any

from assistants.bootstrap import backend
from assistants.domain.ids import RunRef
from assistants.telemetry import logger


def handler(event: dict[str, Any], _: Any) -> None:
    """Take `{project, thread, run, ...}` from the machine, or an event of EventBridge.

    The event is of an execution that failed, timed out or was aborted; its input holds the same
    ids.
    """
    ids = json.loads(event["detail"]["input"]) if "detail" in event else event
    logger.append_keys(run_id=ids["run"], thread_id=ids["thread"])
    logger.warning("the state machine could not end this run", extra={"cause": event.get("error")})
    backend().runs.termination.end(RunRef.from_state(ids))
