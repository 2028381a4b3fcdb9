"""Messages of a thread, by users and assistants."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from assistants.domain.ids import FileId, RunId, ThreadId
from assistants.domain.image import check_image_url
from assistants.domain.schema import Metadata, Object, Part, Request
from assistants.domain.tool import AttachableToolName

Detail = Literal["auto", "low", "high"]


class ImageUrl(Part):
    url: Annotated[str, AfterValidator(check_image_url)]
    detail: Detail = "auto"


class ImageFile(Part):
    file_id: FileId
    detail: Detail = "auto"


class ImageUrlPart(Part):
    type: Literal["image_url"]
    image_url: ImageUrl


class ImageFilePart(Part):
    type: Literal["image_file"]
    image_file: ImageFile


class TextPart(Part):
    """Text in a request, a plain string; in responses it is `{value, annotations}`."""

    type: Literal["text"]
    text: str


ContentPart = Annotated[TextPart | ImageUrlPart | ImageFilePart, Field(discriminator="type")]


class AttachmentTool(Part):
    type: AttachableToolName


class Attachment(Part):
    file_id: FileId
    tools: list[AttachmentTool]


class MessageCreate(Request):
    role: Literal["user", "assistant"]
    content: str | Annotated[list[ContentPart], Field(min_length=1)]
    attachments: list[Attachment] | None = None
    metadata: Metadata | None = None


class MessageModify(Request):
    metadata: Metadata | None = None


IncompleteReason = Literal[
    "content_filter", "max_tokens", "run_cancelled", "run_expired", "run_failed"
]


class MessageIncomplete(Object):
    reason: IncompleteReason


class Message(Object):
    id: str
    object: Literal["thread.message"] = "thread.message"
    created_at: int
    thread_id: ThreadId
    status: Literal["in_progress", "incomplete", "completed"]
    incomplete_details: MessageIncomplete | None = None
    completed_at: int | None = None
    incomplete_at: int | None = None
    role: Literal["user", "assistant"]
    content: list[dict[str, Any]]
    assistant_id: str | None = None
    run_id: RunId | None = None
    attachments: list[Attachment] | None = []
    metadata: Metadata = {}


def text_block(value: str) -> dict[str, Any]:
    return {"type": "text", "text": {"value": value, "annotations": []}}


def content_blocks(content: str | list[ContentPart]) -> list[dict[str, Any]]:
    """Return the content of a request in the form of the API's responses."""
    if isinstance(content, str):
        return [text_block(content)]
    return [
        text_block(part.text) if isinstance(part, TextPart) else _image_block(part)
        for part in content
    ]


def _image_block(part: ImageUrlPart | ImageFilePart) -> dict[str, Any]:
    block = part.model_dump()
    block[part.type].setdefault("detail", "auto")
    return block
