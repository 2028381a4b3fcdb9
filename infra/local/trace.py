"""The states that a run has passed on the local stack."""

import time

from infra.local import LocalStack

PATIENCE_SECONDS = 30


def states_passed(stack: LocalStack, run_id: str) -> list[str]:
    """Return the states that the run's execution entered, in order; each is a billed transition.

    Waits for the end of the execution, which comes a moment after the run's. Raises TimeoutError.
    """
    machine = stack.client("stepfunctions")
    arn = stack.resource("AssistantsService", "RunMachine")
    execution = f"{arn.replace(':stateMachine:', ':execution:')}:{run_id}"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while machine.describe_execution(executionArn=execution)["status"] == "RUNNING":
        if time.monotonic() > deadline:
            raise TimeoutError(f"The execution of {run_id} has not ended.")
        time.sleep(0.01)
    pages = machine.get_paginator("get_execution_history").paginate(executionArn=execution)
    events = [event for page in pages for event in page["events"]]
    entered = (event.get("stateEnteredEventDetails") for event in events)
    return [details["name"] for details in entered if details]
