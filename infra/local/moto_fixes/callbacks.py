"""SendTask* fails with an internal error while any execution is starting.

It searches the environments of all running executions, and one that is starting has none yet.
"""

from typing import Any

from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker


def fix() -> None:
    start: Any = ExecutionWorker.start
    build = ExecutionWorker._get_evaluation_environment

    def start_with_environment(self: Any) -> None:
        self.env = build(self)
        start(self)

    def existing_environment(self: Any) -> Any:
        return self.env

    ExecutionWorker.start = start_with_environment  # type: ignore[method-assign]
    ExecutionWorker._get_evaluation_environment = existing_environment  # type: ignore[method-assign]
