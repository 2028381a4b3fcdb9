"""Read a state machine: its states, and the ways from one to another."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ANY_ERROR = "States.ALL"


@dataclass(frozen=True)
class State:
    """A state; `folder` is that of its function in `functions/`, for a task."""

    name: str
    kind: str
    comment: str
    folder: str = ""
    concurrency: int = 0


@dataclass(frozen=True)
class Transition:
    """A way from one state to another, or from the error of one."""

    source: str
    target: str
    label: str = ""
    error: bool = False


@dataclass(frozen=True)
class Machine:
    """The states and transitions of a machine and of the maps in it."""

    start: str
    states: Mapping[str, State]
    transitions: tuple[Transition, ...]


def read(path: Path) -> Machine:
    definition = json.loads(path.read_text())
    declared = dict(_states(definition))
    return Machine(
        start=definition["StartAt"],
        states={name: _state(name, state) for name, state in declared.items()},
        transitions=tuple(
            transition for name, state in declared.items() for transition in _leaving(name, state)
        ),
    )


def _states(definition: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, state in definition["States"].items():
        yield name, state
        if "ItemProcessor" in state:
            yield from _states(state["ItemProcessor"])


def _state(name: str, state: Mapping[str, Any]) -> State:
    waits = state.get("Resource", "").endswith(".waitForTaskToken")
    return State(
        name=name,
        kind="Wait" if waits else state["Type"],
        comment=state["Comment"],
        folder=_snake(name) if state["Type"] == "Task" else "",
        concurrency=state.get("MaxConcurrency", 0),
    )


def _leaving(name: str, state: Mapping[str, Any]) -> Iterator[Transition]:
    for choice in state.get("Choices", []):
        yield Transition(name, choice["Next"], _condition(choice))
    if "Default" in state:
        yield Transition(name, state["Default"], "otherwise")
    if "Next" in state:
        yield Transition(name, state["Next"])
    for catch in state.get("Catch", []):
        label = (
            "any error" if ANY_ERROR in catch["ErrorEquals"] else ", ".join(catch["ErrorEquals"])
        )
        yield Transition(name, catch["Next"], label, error=True)


def _condition(choice: Mapping[str, Any]) -> str:
    """Return the value compared with, or the name of a variable that has to be true."""
    return str(choice.get("StringEquals") or choice["Variable"].removeprefix("$."))


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
