"""A scripted model provider: OpenAI's chat completions over real HTTP, as a test dictates them.

with ModelServer() as server:
    model = server.script(Calls(get_weather={"city": "Paris"}), Text("It is ", "sunny."))
    ...  # ask server.url for model.name twice
    model.requests[0].body["messages"]
"""

from tests.support.model_server.exchange import Request
from tests.support.model_server.script import (
    Answer,
    Break,
    Call,
    Calls,
    Garbage,
    HttpError,
    Part,
    Pause,
    Refusal,
    Text,
    Turn,
    Wait,
)
from tests.support.model_server.server import ModelServer, ScriptedModel

__all__ = [
    "Answer",
    "Break",
    "Call",
    "Calls",
    "Garbage",
    "HttpError",
    "ModelServer",
    "Part",
    "Pause",
    "Refusal",
    "Request",
    "ScriptedModel",
    "Text",
    "Turn",
    "Wait",
]
