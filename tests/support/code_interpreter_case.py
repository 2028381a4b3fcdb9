"""A thread with a code interpreter over fakes, for the tests of the tool."""

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Any

from assistants.domain.file import Content, FileCreate
from assistants.domain.ids import FILE, RUN, THREAD, TOOL_CALL, FileId, ProjectId, new_id
from assistants.domain.run import RunSettings
from assistants.domain.thread import Thread
from assistants.ports.hosted_tool import ToolAnswer, ToolUse
from assistants.ports.table import Row
from assistants.services.backend import Backend
from assistants.services.storage import keys
from tests.support.deployment import Deployment
from tests.support.fake_sandboxes import FakeSandboxes, Machine
from tests.support.fakes import FakeBlobs, FakeClock, FakeTable

PROJECT = ProjectId("p")
CODE = '{"code": "6 * 7"}'


class CountingTable(FakeTable):
    """Counts the calls of the table; a read or a transaction is one, however large."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def get(self, *keys: Any) -> Any:
        self.calls += 1
        return super().get(*keys)

    def commit(self, *writes: Any) -> None:
        self.calls += 1
        super().commit(*writes)


class CodeInterpreterCase:
    """A thread whose runs have a code interpreter; the thread may share all else with another's."""

    def __init__(
        self, *, sandbox_spares: int = 0, like: "CodeInterpreterCase | None" = None
    ) -> None:
        self.clock: FakeClock = like.clock if like else FakeClock()
        self.table: CountingTable = like.table if like else CountingTable()
        self.blobs: FakeBlobs = like.blobs if like else FakeBlobs()
        made = FakeSandboxes(self.blobs, self.clock)
        self.sandboxes: FakeSandboxes = like.sandboxes if like else made
        self.backend: Backend = Deployment(
            clock=self.clock,
            table=self.table,
            blobs=self.blobs,
            sandboxes=self.sandboxes,
            sandbox_spares=sandbox_spares,
        ).backend
        tool = self.backend.tools.code_interpreter
        self.tool = replace(tool, background=lambda work: work())
        self.thread_id = new_id(THREAD)
        thread = Thread(id=self.thread_id, created_at=0)
        key = keys.thread(PROJECT, self.thread_id)
        self.table.rows[key] = Row(key, thread.model_dump(mode="json"))
        self.run = self.new_run()
        self.cancelled: Callable[[], bool] = lambda: False

    def new_run(self, *file_ids: str, **members: Any) -> RunSettings:
        self.run = RunSettings(
            id=new_id(RUN),
            created_at=0,
            thread_id=self.thread_id,
            assistant_id="asst_1",
            model="m",
            instructions="",
            tools=[],
            temperature=None,
            top_p=None,
            file_ids=list(file_ids),
            **members,
        )
        return self.run

    def prepare(self) -> None:
        self.tool.prepare(PROJECT, self.run, cancelled=lambda: False, seconds_left=600)

    def use(self, arguments: str = CODE, **members: Any) -> ToolUse:
        use = ToolUse(
            project=PROJECT,
            run=self.run,
            id=new_id(TOOL_CALL),
            number=0,
            arguments=arguments,
            cancelled=lambda: self.cancelled(),
            seconds_left=600,
        )
        return replace(use, **members)

    def answer(self, arguments: str = CODE, **members: Any) -> ToolAnswer:
        return self.tool.answer(self.use(arguments, **members))

    def upload(self, name: str, data: bytes = b"a,b\n1,2\n") -> FileId:
        content = Content(name, "text/csv", BytesIO(data), len(data))
        body = FileCreate.model_construct(file=content, purpose="assistants", expires_after=None)
        return self.backend.files.service.create(PROJECT, body, new_id(FILE)).id

    def content(self, file_id: str) -> bytes:
        return self.blobs.contents[f"files/{PROJECT}/{file_id}"]

    @property
    def sandbox(self) -> Any:
        return self.table.rows[keys.sandbox(PROJECT, self.thread_id)].body

    @property
    def machine(self) -> Machine:
        return self.sandboxes.newest
