"""Calls of hosted tools, the tools that run on the server."""

from assistants.domain.annotation import Citation
from assistants.domain.ids import FileId
from assistants.domain.schema import Object
from assistants.domain.tool import HostedToolName


class HostedCall(Object):
    """One call, at `position` of its step. `number` counts such calls from 0 through the run."""

    id: str
    number: int
    tool: HostedToolName
    position: int
    arguments: str


class StoredCall(HostedCall):
    """A call and its answer: what the model reads, and what the run's texts may refer to.

    `citations` are keyed by the `k:j` of their markers, `files` by path below /mnt/data.
    """

    output: str | None = None  # None until the call is answered
    citations: dict[str, Citation] = {}
    files: dict[str, FileId] = {}
    images: list[FileId] = []
