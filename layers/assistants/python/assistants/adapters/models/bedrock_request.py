"""Converts a request from chat completions to Bedrock's Converse API.

Sources: the API's model (botocore, `bedrock-runtime` 2023-09-30), and the service's error messages:
texts must not be blank, roles must alternate, and the first and the last message are a user's.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from assistants.domain.image import Image
from assistants.ports.chat_model import ModelRequest

Block = dict[str, Any]
_CACHE_POINT: Block = {"cachePoint": {"type": "default"}}
_CACHED_MESSAGES = 2  # the newest, for the next turn to read, and the one before, for this turn
_OPENING = "(The conversation begins.)"
_CONTINUE = "(Please continue.)"
_NO_OUTPUT = "(no output)"
_NO_PARAMETERS = {"type": "object", "properties": {}}


def converse_request(request: ModelRequest, open_image: Callable[[str], Image]) -> dict[str, Any]:
    """Return the members of ConverseStream. `open_image` loads the image of a URL."""
    system = [
        {"text": message["content"]}
        for message in request.messages
        if message["role"] == "system" and message["content"].strip()
    ]
    members = {
        "system": _cached(system, "system", request),
        "messages": _messages(request, open_image),
        "toolConfig": _tool_config(request),
        "inferenceConfig": _inference(request.options),
        "outputConfig": _output(request.options),
    }
    present = {name: value for name, value in members.items() if value}
    return {"modelId": request.model, **present}


def _cached(blocks: list[Block], part: str, request: ModelRequest) -> list[Block]:
    return [*blocks, _CACHE_POINT] if blocks and part in request.cache else blocks


def _messages(request: ModelRequest, open_image: Callable[[str], Image]) -> list[Block]:
    turns = _turns(request.messages, open_image)
    if not turns or turns[0]["role"] == "assistant":
        turns.insert(0, {"role": "user", "content": [{"text": _OPENING}]})
    if turns[-1]["role"] == "assistant":
        turns.append({"role": "user", "content": [{"text": _CONTINUE}]})
    if "messages" in request.cache:
        for turn in [turn for turn in turns if turn["role"] == "user"][-_CACHED_MESSAGES:]:
            turn["content"].append(_CACHE_POINT)
    return turns


def _turns(messages: list[dict[str, Any]], open_image: Callable[[str], Image]) -> list[Block]:
    """Merge adjacent messages of one role, and drop empty ones."""
    turns: list[Block] = []
    for message in messages:
        role = "assistant" if message["role"] == "assistant" else "user"
        blocks = [] if message["role"] == "system" else list(_blocks(message, open_image))
        if blocks and turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        elif blocks:
            turns.append({"role": role, "content": blocks})
    return turns


def _blocks(message: dict[str, Any], open_image: Callable[[str], Image]) -> Iterator[Block]:
    if message["role"] == "tool":
        output = message["content"] if message["content"].strip() else _NO_OUTPUT
        result = {"toolUseId": message["tool_call_id"], "content": [{"text": output}]}
        yield {"toolResult": result}
        return
    yield from _content(message["content"] or "", open_image)
    for call in message.get("tool_calls", ()):
        function = call["function"]
        use = {"toolUseId": call["id"], "name": function["name"]}
        yield {"toolUse": {**use, "input": _arguments(function["arguments"])}}


def _content(
    content: str | list[dict[str, Any]], open_image: Callable[[str], Image]
) -> Iterator[Block]:
    parts: list[dict[str, Any]]
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    for part in parts:
        if part["type"] == "image_url":
            yield _image_block(open_image(part["image_url"]["url"]))
        elif part["text"].strip():
            yield {"text": part["text"]}


def _image_block(image: Image) -> Block:
    format = image.type.removeprefix("image/")
    return {"image": {"format": format, "source": {"bytes": image.content}}}


def _arguments(text: str) -> dict[str, Any]:
    """Return the arguments as an object, which Converse requires; wrap any other value in one."""
    try:
        arguments = json.loads(text or "{}")
    except ValueError:
        arguments = text
    return arguments if isinstance(arguments, dict) else {"arguments": arguments}


def _tool_config(request: ModelRequest) -> Block | None:
    """Return the tools and the choice. Converse has no choice `none`: then there are no tools."""
    choice = request.options.get("tool_choice", "auto")
    if not request.tools or choice == "none":
        return None
    tools = _cached([_tool(tool["function"]) for tool in request.tools], "tools", request)
    if choice == "auto":
        return {"tools": tools}
    named = isinstance(choice, dict)
    chosen = {"tool": {"name": choice["function"]["name"]}} if named else {"any": {}}
    return {"tools": tools, "toolChoice": chosen}


def _tool(function: dict[str, Any]) -> Block:
    spec: Block = {
        "name": function["name"],
        "inputSchema": {"json": function.get("parameters") or _NO_PARAMETERS},
    }
    if description := function.get("description"):
        spec["description"] = description
    if function.get("strict"):
        spec["strict"] = True
    return {"toolSpec": spec}


def _inference(options: dict[str, Any]) -> Block:
    names = {"max_completion_tokens": "maxTokens", "temperature": "temperature", "top_p": "topP"}
    return {ours: options[name] for name, ours in names.items() if name in options}


def _output(options: dict[str, Any]) -> Block:
    output: Block = {}
    if effort := options.get("reasoning_effort"):
        output["effort"] = effort
    format = options.get("response_format", {"type": "text"})
    if format["type"] == "json_schema":
        schema = format["json_schema"]
        described = {name: schema[name] for name in ("name", "description") if schema.get(name)}
        structure = {"schema": json.dumps(schema.get("schema") or {}), **described}
        output["textFormat"] = {"type": "json_schema", "structure": {"jsonSchema": structure}}
    return output
