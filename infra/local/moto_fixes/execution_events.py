"""EventBridge receives no events of executions that start or end."""

import json
from typing import Any

from moto.events.models import events_backends
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.backend.execution import (
    BaseExecutionWorkerCommunication,
    Execution,
)


def fix() -> None:
    start: Any = Execution.start
    end: Any = BaseExecutionWorkerCommunication.terminated

    def start_and_publish(self: Any) -> None:
        start(self)
        publish_status(self)

    def end_and_publish(self: Any) -> None:
        published = self.execution.exec_status == ExecutionStatus.ABORTED
        end(self)
        if not published:
            publish_status(self.execution)

    Execution.start = start_and_publish  # type: ignore[method-assign]
    BaseExecutionWorkerCommunication.terminated = end_and_publish  # type: ignore[method-assign]


def publish_status(execution: Any) -> None:
    """Publish the event that Step Functions emits for the execution's status.

    https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
    """
    stopped = execution.stop_date
    succeeded = execution.exec_status == ExecutionStatus.SUCCEEDED
    detail = {
        "executionArn": execution.exec_arn,
        "stateMachineArn": execution.state_machine.arn,
        "name": execution.name,
        "status": execution.exec_status,
        "startDate": int(execution.start_date.timestamp() * 1000),
        "stopDate": int(stopped.timestamp() * 1000) if stopped else None,
        "input": execution.execution_input,
        "output": json.dumps(execution.output) if succeeded else None,
        "error": execution.error,
        "cause": execution.cause,
    }
    events_backends[execution.account_id][execution.region_name].put_events(
        [
            {
                "Source": "aws.states",
                "DetailType": "Step Functions Execution Status Change",
                "Detail": json.dumps(detail),
                "Resources": [execution.exec_arn],
            }
        ]
    )
