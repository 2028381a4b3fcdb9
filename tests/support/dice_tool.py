"""A deployment with one more hosted tool, `dice`: run as a module, prints as JSON how a run goes.

Schemas are built from the registry when they are imported. The tool has to be in it before, which
takes a process of its own.
"""

import json
from typing import Any, Literal

from assistants.domain.hosted_tools.registry import HOSTED_TOOLS
from assistants.domain.hosted_tools.spec import HostedToolEntry, HostedToolSpec


class DiceTool(HostedToolEntry):
    type: Literal["dice"]
    sides: int = 6


DICE = HostedToolSpec(
    entry=DiceTool,
    state="RollDice",
    argument="reason",
    schema={"type": "string"},
    description="Rolls a die.",
    first_members={"reason": "", "rolls": []},
    shown_argument="reason",
)
ARGUMENTS = ['{"rea', 'son": "to wi', 'n"}']


def play() -> dict[str, Any]:
    """Run an assistant whose model rolls once, then answers."""
    from assistants.ports.chat_model import ToolCallDelta
    from assistants.ports.hosted_tool import HostedTool, ToolAnswer, ToolUse
    from tests.support.deployment import Deployment
    from tests.support.fakes import FakeClock

    class Dice(HostedTool):
        def answer(self, use: ToolUse) -> ToolAnswer:
            return ToolAnswer("You rolled a 4.", shown={"rolls": [{"index": 0, "value": 4}]})

    pieces = [ToolCallDelta(0, arguments=piece) for piece in ARGUMENTS]
    service = Deployment(
        [ToolCallDelta(0, "a", DICE.name), *pieces],
        ["A 4!"],
        tools={DICE.name: Dice()},
        clock=FakeClock(step=1.0),
        machine=False,
    )
    body = {"model": "demo", "tools": [{"type": DICE.name, "sides": 8}]}
    assistant = service.api.post("/assistants", body)
    choice = {"type": DICE.name}
    run = service.run(assistant_id=assistant["id"], tool_choice=choice)
    following = service.turn(run)
    for call in following["calls"]:
        service.backend.turns.tool_calls.answer(service.ref(run), call["call"])
    service.turn(run, 1)
    file = {"file_id": "file-a", "tools": [choice]}
    message = {"role": "user", "content": "Look", "attachments": [file]}
    return {
        "tools": assistant["tools"],
        "requests": [
            {"tools": request.tools, "messages": request.messages, **request.options}
            for request in service.model.requests
        ],
        "calls": following["calls"],
        "status": service.again(run)["status"],
        "steps": service.steps(run),
        "events": service.events(run),
        "unavailable": Deployment().api.request("POST", "/assistants", body).error,
        "attached": service.api.request("POST", "/threads", {"messages": [message]}).error,
    }


if __name__ == "__main__":
    HOSTED_TOOLS[DICE.name] = DICE
    print(json.dumps(play()))
