"""StopExecution waits for the running task, and has no effect on one that waits for a token."""

import datetime
import time
from typing import Any

from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped
from moto.stepfunctions.parser.backend.execution import Execution

from infra.local.moto_fixes.execution_events import publish_status


def fix() -> None:
    stop = Execution.stop
    set_error = Environment.set_error

    def stop_at_once(self: Any, stop_date: datetime.datetime, error: Any, cause: Any) -> None:
        if self.exec_status == ExecutionStatus.RUNNING:
            _wait_for_start(self.exec_worker.env)
            stop(self, stop_date=stop_date, error=error, cause=cause)
            _end(self, stop_date)

    def keep_stopped(self: Any, error: Any) -> None:
        if not isinstance(self._program_state, ProgramStopped):
            set_error(self, error)

    Execution.stop = stop_at_once  # type: ignore[method-assign]
    Environment.set_error = keep_stopped  # type: ignore[method-assign]


def _wait_for_start(environment: Environment) -> None:
    while environment.program_state() is None:  # its thread is just starting
        time.sleep(0.001)


def _end(execution: Any, stop_date: datetime.datetime) -> None:
    environment = execution.exec_worker.env
    if isinstance(environment.program_state(), ProgramStopped):  # and did not end by itself
        execution.exec_status, execution.stop_date = ExecutionStatus.ABORTED, stop_date
        publish_status(execution)
    for endpoint in tuple(environment.callback_pool_manager._pool.values()):
        endpoint.interrupt_all()
