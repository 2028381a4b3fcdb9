"""All use cases, wired together over the ports."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from assistants import tokens
from assistants.domain.hosted_tool import HostedToolName
from assistants.ports.hosted_tool import HostedTool
from assistants.services.api_keys import ApiKeys
from assistants.services.assistants.service import Assistants
from assistants.services.files.upload_completion import UploadCompletion
from assistants.services.files.uploads import Uploads
from assistants.services.maintenance.sweep import Overdue
from assistants.services.runs.callbacks import Waits
from assistants.services.runs.cancellation import Cancellation
from assistants.services.runs.event_stream import Relay
from assistants.services.runs.journal import Journal
from assistants.services.runs.repository import RunRecords
from assistants.services.runs.service import Runs
from assistants.services.runs.steps import RunSteps
from assistants.services.runs.termination import Endings
from assistants.services.runs.tool_outputs import ToolOutputs
from assistants.services.storage.background import in_background
from assistants.services.storage.idempotency import Idempotency
from assistants.services.stores_backend import StoresBackend
from assistants.services.threads.messages import Messages
from assistants.services.threads.service import Threads
from assistants.services.threads.tool_resources import ResourceProvision
from assistants.services.tools.availability import HostedTools
from assistants.services.tools.code_interpreter.tool import CodeInterpreter
from assistants.services.tools.file_search import FileSearch
from assistants.services.turns.file_images import FileImages
from assistants.services.turns.history import EarlierTurns
from assistants.services.turns.prompts import Prompts
from assistants.services.turns.service import Turns
from assistants.services.turns.tool_calls import HostedCalls


@dataclass(frozen=True)
class Backend(StoresBackend):
    """The service. Each use case is built when it is first asked for."""

    @cached_property
    def api_keys(self) -> ApiKeys:
        return ApiKeys(self.store, self.clock, self.auth)

    @cached_property
    def assistants(self) -> Assistants:
        return Assistants(self.store, self.catalog, self.hosted_tools, self.provision, self.clock)

    @cached_property
    def hosted_tools(self) -> HostedTools:
        return HostedTools(self.files, self.vector_stores, frozenset(self.tools_here))

    @cached_property
    def provision(self) -> ResourceProvision:
        return ResourceProvision(self.hosted_tools, self.vector_stores)

    @cached_property
    def tools_here(self) -> Mapping[HostedToolName, HostedTool]:
        """The tools that run on the server, as far as this deployment has what they need."""
        here: dict[HostedToolName, HostedTool] = {}
        if self.sandboxes is not None:
            sessions = self.sandbox_sessions
            here["code_interpreter"] = CodeInterpreter.of(sessions, self.files, in_background)
        if self.index_queue is not None:
            here["file_search"] = self.file_search
        return here | dict(self.tools)

    @cached_property
    def file_search(self) -> FileSearch:
        return FileSearch(self.store_search, tokens.count, in_background, self.clock)

    @cached_property
    def uploads(self) -> Uploads:
        return Uploads(self.store, self.blobs, self.clock)

    @cached_property
    def upload_completion(self) -> UploadCompletion:
        return UploadCompletion(self.store, self.uploads, self.file_storage, self.clock)

    @cached_property
    def threads(self) -> Threads:
        return Threads(
            store=self.store,
            hosted_tools=self.hosted_tools,
            provision=self.provision,
            attachments=self.attachments,
            purges=self.purges,
            clock=self.clock,
        )

    @cached_property
    def idempotency(self) -> Idempotency:
        return Idempotency(self.store, self.clock)

    @cached_property
    def overdue(self) -> Overdue:
        return Overdue(
            store=self.store,
            records=self.records,
            executions=self.executions,
            waits=self.waits,
            endings=self.endings,
            purges=self.purges,
            files=self.files,
            uploads=self.uploads,
            sandbox_sessions=self.sandbox_sessions,
            stores=self.store_upkeep,
            clock=self.clock,
        )

    @cached_property
    def messages(self) -> Messages:
        return Messages(self.store, self.hosted_tools, self.attachments, self.clock)

    @cached_property
    def runs(self) -> Runs:
        return Runs(
            store=self.store,
            records=self.records,
            executions=self.executions,
            endings=self.endings,
            threads=self.threads,
            catalog=self.catalog,
            hosted_tools=self.hosted_tools,
            attachments=self.attachments,
            clock=self.clock,
            ttl_seconds=self.run_ttl_seconds,
        )

    @cached_property
    def run_steps(self) -> RunSteps:
        return RunSteps(self.store, self.records)

    @cached_property
    def relay(self) -> Relay:
        return Relay(self.journal, self.clock)

    @cached_property
    def cancellation(self) -> Cancellation:
        return Cancellation(self.records, self.waits)

    @cached_property
    def tool_outputs(self) -> ToolOutputs:
        return ToolOutputs(self.records, self.waits, self.clock)

    @cached_property
    def waits(self) -> Waits:
        return Waits(self.store, self.records, self.executions)

    @cached_property
    def hosted_calls(self) -> HostedCalls:
        return HostedCalls(self.store, self.records, self.tools_here, self.clock)

    @cached_property
    def turns(self) -> Turns:
        images = FileImages(self.files)
        prompts = Prompts(self.store, self.catalog, self.files, images, tokens.count)
        return Turns(
            records=self.records,
            earlier_turns=EarlierTurns(self.store),
            prompts=prompts,
            model=self.model,
            hosted_calls=self.hosted_calls,
            endings=self.endings,
            clock=self.clock,
        )

    @cached_property
    def endings(self) -> Endings:
        return Endings(self.records, self.clock)

    @cached_property
    def records(self) -> RunRecords:
        return RunRecords(self.store, self.journal, self.clock)

    @cached_property
    def journal(self) -> Journal:
        return Journal(self.store, self.clock)
