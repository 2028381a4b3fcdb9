"""Every thread becomes a request that Converse takes."""

from itertools import pairwise
from typing import Any

from botocore.session import get_session
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from assistants.adapters.models.bedrock_request import converse_request
from assistants.domain.image import Image
from assistants.ports.chat_model import ModelRequest

PNG = Image.from_bytes(b"\x89PNG\r\n\x1a\n")
CONVERSE = get_session().get_service_model("bedrock-runtime").operation_model("ConverseStream")

texts = st.text(max_size=6) | st.sampled_from(["", " ", "\n"])
image = st.just({"type": "image_url", "image_url": {"url": "https://images.example/x.png"}})
parts = st.lists(texts.map(lambda text: {"type": "text", "text": text}) | image, max_size=3)
said = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "assistant"]), "content": texts}
) | st.fixed_dictionaries({"role": st.just("user"), "content": texts | parts})


@st.composite
def tool_turns(draw: st.DrawFn) -> list[dict[str, Any]]:
    ids = draw(st.lists(st.from_regex(r"call_[a-z0-9]{4}", fullmatch=True), min_size=1, max_size=3))
    functions = [{"name": "weather", "arguments": draw(texts)} for _ in ids]
    calls = [{"id": id, "function": one} for id, one in zip(ids, functions, strict=True)]
    asked = {"role": "assistant", "content": draw(st.none() | texts), "tool_calls": calls}
    return [asked, *({"role": "tool", "tool_call_id": id, "content": draw(texts)} for id in ids)]


requests = st.builds(
    lambda thread, turns, tools, cache: ModelRequest(
        "amazon.nova",
        [*thread, *(message for turn in turns for message in turn)],
        tools=[{"type": "function", "function": {"name": name}} for name in tools],
        cache=cache,
    ),
    thread=st.lists(said, max_size=6),
    turns=st.lists(tool_turns(), max_size=2),
    tools=st.lists(st.just("weather"), max_size=2),
    cache=st.sampled_from([(), ("system",), ("tools", "system", "messages")]),
)


def text_blocks(asked: dict[str, Any]) -> list[str]:
    blocks = [block for turn in asked["messages"] for block in turn["content"]]
    results = [one for block in blocks for one in block.get("toolResult", {}).get("content", [])]
    found = [*blocks, *results, *asked.get("system", [])]
    return [block["text"] for block in found if "text" in block]


@given(requests)
def test_any_conversation_becomes_a_request_that_converse_takes(request: ModelRequest) -> None:
    asked = converse_request(request, lambda _url: PNG)
    assert CONVERSE.input_shape
    report = ParamValidator().validate(asked, CONVERSE.input_shape)
    assert not report.has_errors(), report.generate_report()
    roles = [turn["role"] for turn in asked["messages"]]
    assert roles[0] == roles[-1] == "user"
    assert all(one != other for one, other in pairwise(roles))
    assert all(text.strip() for text in text_blocks(asked))
    assert str(asked).count("cachePoint") <= 4


@given(requests)
def test_every_call_is_followed_by_its_result(request: ModelRequest) -> None:
    turns = converse_request(request, lambda _url: PNG)["messages"]
    for turn, following in zip(turns, [*turns[1:], {"content": []}], strict=True):
        calls = [one["toolUse"]["toolUseId"] for one in turn["content"] if "toolUse" in one]
        results = [
            one["toolResult"]["toolUseId"] for one in following["content"] if "toolResult" in one
        ]
        assert results == calls
