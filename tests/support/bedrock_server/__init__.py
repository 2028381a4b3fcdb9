"""A scripted Bedrock: ConverseStream over real HTTP in its own encoding, as a test dictates it.

with BedrockServer() as server:
    server.script(said("It is ", "sunny."), Refused(429, "ThrottlingException"))
    ...  # ask server.url twice
    server.requests[0].body["messages"]
"""

from tests.support.bedrock_server.script import (
    Answer,
    Broken,
    Event,
    Fault,
    Refused,
    called,
    ended,
    said,
)
from tests.support.bedrock_server.server import BedrockServer, Request

__all__ = [
    "Answer",
    "BedrockServer",
    "Broken",
    "Event",
    "Fault",
    "Refused",
    "Request",
    "called",
    "ended",
    "said",
]
