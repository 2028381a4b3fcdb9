"""State AwaitToolOutputs: store the task token and require action of the client."""

from typing import Any

from assistants.bootstrap import backend
from assistants.domain.ids import RunRef
from assistants.telemetry import logger


def handler(event: dict[str, Any], _: Any) -> None:
    """Take `{project, thread, run, turn, token}`; the state ends when the token is sent back."""
    logger.append_keys(run_id=event["run"], thread_id=event["thread"])
    backend().runs.callbacks.begin(RunRef.from_state(event), event["turn"], event["token"])
