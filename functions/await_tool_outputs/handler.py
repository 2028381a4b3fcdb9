"""State AwaitToolOutputs: keep the task token and ask the client to act."""

from typing import Any

from assistants.bootstrap import backend
from assistants.domain.ids import RunRef
from assistants.telemetry import logger


def handler(event: dict[str, Any], _: Any) -> None:
    """`{project, thread, run, turn, token}` in. The state goes on when the token is called back."""
    logger.append_keys(run_id=event["run"], thread_id=event["thread"])
    backend().runs.callbacks.begin(RunRef.from_state(event), event["turn"], event["token"])
