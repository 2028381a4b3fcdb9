"""Wire the use cases of this folder over the ports."""

from dataclasses import dataclass
from functools import cached_property

from assistants.services.ports import Ports
from assistants.services.runs.callbacks import Callbacks
from assistants.services.runs.cancellation import Cancellation
from assistants.services.runs.event_stream import RunEventStream
from assistants.services.runs.journal import Journal
from assistants.services.runs.repository import RunRepository
from assistants.services.runs.service import Runs
from assistants.services.runs.steps import RunSteps
from assistants.services.runs.streams import OpenStreams
from assistants.services.runs.termination import Termination
from assistants.services.runs.tool_outputs import ToolOutputs
from assistants.services.threads.wiring import ThreadServices


@dataclass(frozen=True)
class RunServices:
    """Build each part when it is first used."""

    ports: Ports
    threads: ThreadServices

    @cached_property
    def service(self) -> Runs:
        return Runs(
            table=self.ports.table,
            repository=self.repository,
            executions=self.ports.executions,
            termination=self.termination,
            threads=self.threads.service,
            catalog=self.ports.catalog,
            tool_availability=self.threads.tools.availability,
            attachments=self.threads.attachments,
            clock=self.ports.clock,
            ttl_seconds=self.ports.run_ttl_seconds,
        )

    @cached_property
    def steps(self) -> RunSteps:
        return RunSteps(self.ports.table, self.repository)

    @cached_property
    def tool_outputs(self) -> ToolOutputs:
        return ToolOutputs(self.repository, self.callbacks, self.ports.clock)

    @cached_property
    def cancellation(self) -> Cancellation:
        return Cancellation(self.repository, self.callbacks)

    @cached_property
    def event_stream(self) -> RunEventStream:
        streams = OpenStreams(self.ports.table, self.ports.clock)
        return RunEventStream(self.journal, streams, self.ports.clock)

    @cached_property
    def callbacks(self) -> Callbacks:
        return Callbacks(self.ports.table, self.repository, self.ports.executions)

    @cached_property
    def termination(self) -> Termination:
        return Termination(self.repository, self.ports.clock)

    @cached_property
    def repository(self) -> RunRepository:
        return RunRepository(self.ports.table, self.journal, self.ports.clock)

    @cached_property
    def journal(self) -> Journal:
        return Journal(self.ports.table, self.ports.clock)
