"""The position of each state of the run machine, and the points of each transition.

They are laid out by hand: a run without tools is the top row, and no line crosses another but the
errors of AwaitToolOutputs.
"""

from dataclasses import dataclass

from docs.drawing.svg import Point

WIDTH, HEIGHT = 1004.0, 444.0


@dataclass(frozen=True)
class Box:
    """A rectangle around its centre."""

    x: float
    y: float
    width: float = 184
    height: float = 54

    @property
    def left(self) -> float:
        return self.x - self.width / 2

    @property
    def right(self) -> float:
        return self.x + self.width / 2

    @property
    def top(self) -> float:
        return self.y - self.height / 2

    @property
    def bottom(self) -> float:
        return self.y + self.height / 2


CALL = Box(150, 92)
NEXT = Box(455, 92)
ENDED = Box(870, 92)
AWAIT = Box(278, 222)
FINISH = Box(870, 222)
ELSE = Box(150, 358)
TOOLS = Box(552, 352, width=444, height=144)
WHICH = Box(412, 366, width=136, height=42)
CODE = Box(685, 342, width=150, height=42)
SEARCH = Box(685, 394, width=150, height=42)

BOXES = {
    "CallModel": CALL,
    "WhatNext": NEXT,
    "UseTools": TOOLS,
    "WhichTool": WHICH,
    "RunCode": CODE,
    "SearchFiles": SEARCH,
    "WhoElse": ELSE,
    "AwaitToolOutputs": AWAIT,
    "FinishRun": FINISH,
    "Ended": ENDED,
}

START: Point = (22, CALL.y)
_RAIL = WIDTH - 18

ROUTES: dict[tuple[str, str], list[Point]] = {
    ("CallModel", "WhatNext"): [(CALL.right, 92), (NEXT.left, 92)],
    ("CallModel", "FinishRun"): [
        (CALL.x, CALL.top),
        (CALL.x, 30),
        (_RAIL, 30),
        (_RAIL, FINISH.y),
        (FINISH.right, FINISH.y),
    ],
    ("WhatNext", "UseTools"): [(500, NEXT.bottom), (500, TOOLS.top)],
    ("WhatNext", "AwaitToolOutputs"): [(410, NEXT.bottom), (410, 212), (AWAIT.right, 212)],
    ("WhatNext", "Ended"): [(NEXT.right, 92), (ENDED.left, 92)],
    ("WhichTool", "RunCode"): [
        (WHICH.right, WHICH.y),
        (WHICH.right + 18, WHICH.y),
        (WHICH.right + 18, CODE.y),
        (CODE.left, CODE.y),
    ],
    ("WhichTool", "SearchFiles"): [
        (WHICH.right, WHICH.y),
        (WHICH.right + 18, WHICH.y),
        (WHICH.right + 18, SEARCH.y),
        (SEARCH.left, SEARCH.y),
    ],
    ("UseTools", "WhoElse"): [(TOOLS.left, ELSE.y), (ELSE.right, ELSE.y)],
    ("UseTools", "FinishRun"): [
        (TOOLS.right, ELSE.y),
        (FINISH.x, ELSE.y),
        (FINISH.x, FINISH.bottom),
    ],
    ("WhoElse", "AwaitToolOutputs"): [(214, ELSE.top), (214, AWAIT.bottom)],
    ("WhoElse", "CallModel"): [(104, ELSE.top), (104, CALL.bottom)],
    ("AwaitToolOutputs", "CallModel"): [(214, AWAIT.top), (214, CALL.bottom)],
    ("AwaitToolOutputs", "FinishRun"): [(AWAIT.right, 236), (FINISH.left, 236)],
    ("FinishRun", "Ended"): [(FINISH.x, FINISH.top), (FINISH.x, ENDED.bottom)],
}
