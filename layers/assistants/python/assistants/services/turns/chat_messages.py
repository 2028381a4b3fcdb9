"""Messages and tool calls of a thread, in the form of chat completions."""

from collections.abc import Iterator, Mapping
from typing import Any

from assistants.domain.ids import ProjectId
from assistants.domain.image import InvalidImageError
from assistants.domain.message import text_block
from assistants.domain.model_route import ModelRoute
from assistants.domain.tool_call import StoredCall
from assistants.ports.chat_model import ModelError
from assistants.ports.images import Images

_IMAGES = ("image_url", "image_file")


def chat_message(message: dict[str, Any]) -> dict[str, Any]:
    """Convert a message of a thread. `with_images` loads its images later."""
    content = [_uncited(block) for block in message["content"]]
    # Only users can show images to a model; its own are named in words.
    if message["role"] == "user" and any(block["type"] in _IMAGES for block in content):
        return {"role": "user", "content": [_part(block) for block in content]}
    return {"role": message["role"], "content": text_of(content)}


def text_of(content: list[dict[str, Any]]) -> str:
    return "\n".join(_text(block) for block in content)


def tool_turn(
    text: str | None, calls: list[dict[str, Any]], hosted: Mapping[str, StoredCall]
) -> Iterator[dict[str, Any]]:
    """Yield one turn's text and tool calls, then the outputs; `hosted` holds the calls of hosted
    tools by id.
    """
    functions = [_function(call, hosted) for call in calls]
    asked = [
        {"id": call["id"], "type": "function", "function": {"name": name, "arguments": arguments}}
        for call, (name, arguments, _) in zip(calls, functions, strict=True)
    ]
    yield {"role": "assistant", "content": text, "tool_calls": asked}
    for call, (_, _, output) in zip(calls, functions, strict=True):
        yield {"role": "tool", "tool_call_id": call["id"], "content": output}


def _function(call: dict[str, Any], hosted: Mapping[str, StoredCall]) -> tuple[str, str, str]:
    """Return a call's name, arguments and output."""
    if call["type"] == "function":
        function = call["function"]
        return function["name"], function["arguments"], function["output"] or ""
    answered = hosted[call["id"]]
    return call["type"], answered.arguments, answered.output or ""


def with_images(
    messages: list[dict[str, Any]], project: ProjectId, route: ModelRoute, images: Images
) -> list[dict[str, Any]]:
    """Return the chat messages with their images' files as data URLs.

    Raises `ModelError` for a model without vision, and for a file that cannot be shown.
    """

    def load(part: dict[str, Any]) -> dict[str, Any]:
        if part["type"] == "text":
            return part
        if "vision" not in route.capabilities:
            message = f"Invalid content type. {part['type']} is only supported by certain models."
            raise ModelError("invalid_prompt", message)
        return _loaded(part, project, images) if part["type"] == "image_file" else part

    return [
        {**message, "content": [load(part) for part in message["content"]]}
        if isinstance(message["content"], list)
        else message
        for message in messages
    ]


def _loaded(part: dict[str, Any], project: ProjectId, images: Images) -> dict[str, Any]:
    file_id = part["image_file"]["file_id"]
    try:
        image = images.load(project, file_id)
    except InvalidImageError as error:
        raise ModelError("invalid_prompt", f"File {file_id}: {error}.") from error
    if image is None:
        raise ModelError("invalid_prompt", f"No such File object: {file_id}")
    detail = part["image_file"].get("detail", "auto")
    return {"type": "image_url", "image_url": {"url": image.data_url, "detail": detail}}


def _part(block: dict[str, Any]) -> dict[str, Any]:
    return block if block["type"] in _IMAGES else {"type": "text", "text": _text(block)}


def _uncited(block: dict[str, Any]) -> dict[str, Any]:
    """Remove the markers of an earlier run: in this one they would name other passages."""
    if block["type"] != "text" or not block["text"]["annotations"]:
        return block
    value = block["text"]["value"]
    for annotation in reversed(block["text"]["annotations"]):
        if annotation["type"] == "file_citation":
            value = value[: annotation["start_index"]] + value[annotation["end_index"] :]
    return text_block(value)


def _text(block: dict[str, Any]) -> str:
    match block["type"]:
        case "text":
            return str(block["text"]["value"])
        case "refusal":
            return str(block["refusal"])
        case _:
            return "(an image)"
