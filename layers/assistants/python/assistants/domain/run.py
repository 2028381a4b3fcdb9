"""Runs: an assistant works on a thread until it has answered, fails or needs the client."""

import json
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from assistants.domain.ids import FileId, RunId, ThreadId, VectorStoreId
from assistants.domain.message import MessageCreate
from assistants.domain.schema import (
    Instructions,
    Metadata,
    Object,
    Part,
    Request,
    Temperature,
    TopP,
)
from assistants.domain.thread import ThreadCreate
from assistants.domain.tool import (
    ReasoningEffort,
    ResponseFormat,
    ToolChoice,
    ToolResources,
    Tools,
)

RunStatus = Literal[
    "queued",
    "in_progress",
    "requires_action",
    "cancelling",
    "cancelled",
    "failed",
    "completed",
    "incomplete",
    "expired",
]
ErrorCode = Literal["server_error", "rate_limit_exceeded", "invalid_prompt"]


class LastError(Object):
    code: ErrorCode
    message: str


class RunIncomplete(Object):
    reason: Literal["max_completion_tokens", "max_prompt_tokens"]


class Usage(Object):
    """Numbers of tokens, as counted by the provider."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            total_tokens=self.total_tokens + other.total_tokens,
        )


class AutoTruncation(Part):
    type: Literal["auto"]
    last_messages: Annotated[int, Field(ge=1)] | None = None


class LastMessages(Part):
    type: Literal["last_messages"]
    last_messages: Annotated[int, Field(ge=1)]


TruncationStrategy = Annotated[AutoTruncation | LastMessages, Field(discriminator="type")]


class _RequestedMembers(Object):
    """The members of a run that its request determines."""

    id: RunId
    created_at: int
    thread_id: ThreadId
    assistant_id: str
    model: str
    instructions: str
    tools: Tools
    temperature: float | None
    top_p: float | None
    max_prompt_tokens: int | None = None
    max_completion_tokens: int | None = None
    truncation_strategy: TruncationStrategy = AutoTruncation(type="auto", last_messages=None)
    tool_choice: ToolChoice = "auto"
    parallel_tool_calls: bool = True
    response_format: ResponseFormat = "auto"
    reasoning_effort: ReasoningEffort | None = None


class RunSettings(_RequestedMembers):
    """The members of a run that never change.

    Those that `Run` lacks are internal: the files and vector stores of the assistant, then of the
    thread, as they were when the run was created.
    """

    file_ids: list[FileId] = []  # for its code interpreter
    vector_store_ids: list[VectorStoreId] = []
    thread_store_ids: list[VectorStoreId] = []  # the subset that belongs to the thread


class RunProgress(Object):
    """The members of a run that change, as the API returns them."""

    status: RunStatus = "queued"
    required_action: dict[str, Any] | None = None
    last_error: LastError | None = None
    expires_at: int | None = None
    started_at: int | None = None
    cancelled_at: int | None = None
    failed_at: int | None = None
    completed_at: int | None = None
    incomplete_details: RunIncomplete | None = None
    usage: Usage | None = None
    metadata: Metadata = {}


class RunState(RunProgress):
    """The stored progress of a run; members that `RunProgress` lacks are internal."""

    deadline: int  # Unix seconds; unlike `expires_at` it is kept when the run ends
    watched: bool = False  # a client reads the stream, so deltas are written at once
    sequence: int = 0  # of the journal's record that came with the last change of this state
    opened: int | None = None  # the turn that a worker has begun
    turn: int = 0  # how many turns are finished
    next: Literal["done", "action", "tools"] = "done"  # requested by the last finished turn
    hosted_calls: dict[str, str] = {}  # of that turn: the call's id and its tool
    hosted_made: int = 0  # the number of such calls in all finished turns
    calls_functions: bool = False  # whether that turn calls functions of the client, too
    waiting_step: str | None = None  # the step whose calls are not all answered
    waiting_usage: Usage | None = None  # the usage of the turn that made this step
    callback_turn: int | None = None  # the turn after which the newest wait began
    spent: Usage = Usage()


class Run(_RequestedMembers, RunProgress):
    object: Literal["thread.run"] = "thread.run"

    poll_after_ms: ClassVar[int | None] = 200

    @classmethod
    def from_stored(cls, settings: RunSettings, state: RunState) -> "Run":
        """Build the API's object without validating the stored members again."""
        requested = {name: getattr(settings, name) for name in _RequestedMembers.model_fields}
        progress = {name: getattr(state, name) for name in RunProgress.model_fields}
        return cls.model_construct(**requested, **progress)


class _RunMembers(Request):
    assistant_id: str
    model: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    instructions: Instructions | None = None
    tools: Tools | None = None
    metadata: Metadata | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    stream: bool | None = None
    max_prompt_tokens: Annotated[int, Field(ge=256)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=256)] | None = None
    truncation_strategy: TruncationStrategy | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: ReasoningEffort | None = None


class RunCreate(_RunMembers):
    additional_instructions: Instructions | None = None
    # Written with the run in one transaction, which DynamoDB limits to 100 rows.
    additional_messages: Annotated[list[MessageCreate], Field(max_length=90)] | None = None


class ThreadRunCreate(_RunMembers):
    thread: ThreadCreate | None = None
    tool_resources: ToolResources | None = None


class RunModify(Request):
    metadata: Metadata | None = None


class ToolOutput(Request):
    """The output of a client's function. Numbers and booleans are kept as JSON text."""

    tool_call_id: str
    output: str

    @field_validator("output", mode="before")
    @classmethod
    def _numbers_as_text(cls, value: object) -> object:
        return json.dumps(value) if isinstance(value, bool | int | float) else value


class ToolOutputsSubmit(Request):
    tool_outputs: list[ToolOutput]
    stream: bool | None = None
