"""Handlers that several states of the run machine share."""

from typing import Any

from assistants.bootstrap import backend
from assistants.domain.ids import RunRef
from assistants.telemetry import logger


def answer_hosted_call(event: dict[str, Any], _: Any) -> None:
    """Answer one call of a hosted tool; `event` is `{project, thread, run, call}`.

    The answer is in the table when the state ends.
    """
    logger.append_keys(run_id=event["run"], thread_id=event["thread"])
    backend().turns.tool_calls.answer(RunRef.from_state(event), event["call"])
