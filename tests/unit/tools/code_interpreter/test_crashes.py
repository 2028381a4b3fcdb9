"""The code interpreter where anything may die: at each call of the table, session or blobs, before
or after it was done, and again and again. Whatever happens, no code runs twice.
"""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from assistants.ports.sandbox import Execution, MadeImage, SandboxLostError, SandboxUnavailableError
from tests.support.code_interpreter_case import PROJECT, CodeInterpreterCase
from tests.support.crashes import Killed
from tests.support.fake_sandboxes import PNG, FakeSession, Machine

CALLS = ("get", "commit")
ALL = 18  # calls of the first code of a session, with a file in, a file and an image out
REQUESTS = ("ready", "execute", "put", "take", "take_image")


def everything(machine: Machine, code: str) -> Execution:
    """Makes a file and shows an image."""
    image = MadeImage("image/png", len(PNG))
    return replace(machine.write(**{"out.csv": b"1"}), images=(image,))


class Trap:
    """Goes off at the call of that number, before or after it was done."""

    def __init__(self, number: int, when: str, error: type[BaseException]) -> None:
        self.number, self.when, self.error = number, when, error
        self.count = 0

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def trapped(*args: Any, **named: Any) -> Any:
            self.count += 1
            hit = self.count == self.number
            if hit and self.when == "before":
                raise self.error
            result = call(*args, **named)
            if hit:
                raise self.error
            return result

        return trapped

    @property
    def went_off(self) -> bool:
        return self.count >= self.number


def set_up(monkeypatch: pytest.MonkeyPatch, trap: Trap) -> CodeInterpreterCase:
    case = CodeInterpreterCase()
    case.sandboxes.program = everything
    case.new_run(case.upload("a.csv"))
    for name in CALLS:
        monkeypatch.setattr(case.table, name, trap.around(getattr(case.table, name)))
    for name in REQUESTS:
        monkeypatch.setattr(FakeSession, name, trap.around(getattr(FakeSession, name)))
    for name in ("launch", "address", "stop"):
        monkeypatch.setattr(case.sandboxes, name, trap.around(getattr(case.sandboxes, name)))
    return case


def ran(case: CodeInterpreterCase, call_id: str) -> int:
    executed = [id for machine in case.sandboxes.machines.values() for id, _ in machine.executed]
    return executed.count(call_id)


def output_files(case: CodeInterpreterCase) -> list[str]:
    partition = f"P#{PROJECT}#file#assistants_output"
    return [key.sort for key in case.table.rows if key.partition == partition]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_function_killed_at_any_call_is_made_good_by_its_retry(
    monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    for number in range(1, 1000):
        with monkeypatch.context() as patch:
            trap = Trap(number, when, Killed)
            case = set_up(patch, trap)
            use = case.use()
            try:
                case.tool.answer(use)
            except Killed:
                answer = case.tool.answer(use)
            else:
                break
            assert answer.output.startswith("42"), number
            assert ran(case, use.id) == 1
            assert len(case.sandboxes.machines) == 1
            assert len(output_files(case)) == 2
            assert [len(case.content(id)) for id in answer.files.values()] == [1]
            assert [case.content(id) for id in answer.images] == [PNG]
    assert number == ALL + 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_session_lost_at_any_request_is_mentioned_or_replaced(
    monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    for number in range(1, 1000):
        with monkeypatch.context() as patch:
            trap = Trap(number, when, SandboxLostError)
            case = CodeInterpreterCase()
            case.sandboxes.program = everything
            case.new_run(case.upload("a.csv"))
            for name in REQUESTS:
                patch.setattr(FakeSession, name, killing(trap, case, getattr(FakeSession, name)))
            use = case.use()
            answer = case.tool.answer(use)
            if not trap.went_off:
                break
            assert ran(case, use.id) <= 1
            output = answer.output
            lost = "nothing is known" in output
            assert output.startswith("42") or lost, (number, output)
            again = case.tool.answer(use).output
            assert again == output or "nothing is known" in again
            assert ran(case, use.id) <= 1
            assert case.answer().output.startswith("42")
    assert number == 6  # ready, put, execute, take_image, take


def killing(trap: Trap, case: CodeInterpreterCase, call: Callable[..., Any]) -> Callable[..., Any]:
    """Let the machine die with the call."""

    def dying(*args: Any, **named: Any) -> Any:
        trap.count += 1
        if trap.count == trap.number and trap.when == "before":
            case.sandboxes.kill()
        result = call(*args, **named)
        if trap.count == trap.number and trap.when == "after":
            case.sandboxes.kill()
        return result

    return dying


def test_a_function_killed_while_its_session_dies_does_not_run_its_code_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(1, 1000):
        with monkeypatch.context() as patch:
            trap = Trap(number, "after", Killed)
            case = set_up(patch, trap)
            use = case.use()
            try:
                case.tool.answer(use)
            except Killed:
                case.sandboxes.kill()
                case.clock.now += 100
                case.tool.answer(use)
            else:
                break
            assert ran(case, use.id) == 1 or "nothing is known" in case.tool.answer(use).output
            assert ran(case, use.id) <= 1, number
    assert number == ALL + 1


def test_calls_at_once_share_one_session() -> None:
    for _ in range(20):
        case = CodeInterpreterCase()
        case.new_run(case.upload("a.csv"))
        uses = [case.use() for _ in range(8)]
        with ThreadPoolExecutor(8) as pool:
            outputs = [answer.output for answer in pool.map(case.tool.answer, uses)]
        assert outputs == ["42"] * 8
        assert len(case.sandboxes.machines) == 1
        assert sorted(id for id, _ in case.machine.executed) == sorted(use.id for use in uses)


@pytest.mark.parametrize("seed", range(40))
def test_calls_at_once_on_machines_that_fail_run_once_and_leave_no_orphan(seed: int) -> None:
    """Machines die and cannot be launched at random, while four calls are answered at once."""
    chance = random.Random(seed)
    case = CodeInterpreterCase()
    case.new_run(case.upload("a.csv"))

    def program(machine: Machine, code: str) -> Execution:
        if chance.random() < 0.2:
            machine.dead = True  # never the other way: another thread may have stopped it
        return machine.write(out=code.encode())

    def launch(name: str, token: str) -> str:
        if chance.random() < 0.2:
            raise SandboxUnavailableError("capacity")
        case.sandboxes.coming_up = chance.randrange(3)
        return real(name, token)

    real, case.sandboxes.program = case.sandboxes.launch, program
    case.sandboxes.launch = launch  # type: ignore[method-assign]
    uses = [case.use() for _ in range(12)]
    with ThreadPoolExecutor(4) as pool:
        outputs = [answer.output for answer in pool.map(case.tool.answer, uses)]
    for use, answer in zip(uses, outputs, strict=True):
        executed = ran(case, use.id)
        if "nothing is known" in answer:  # its machine died of other code, maybe before it came
            assert executed <= 1
        else:
            assert executed == (0 if "was not executed" in answer else 1), answer
    session = case.sandbox["session"] or {"name": None}
    alive = {name for name, machine in case.sandboxes.machines.items() if not machine.dead}
    assert alive <= {session["name"]}
