"""Sessions that wait for a thread: kept, claimed once, and replaced in time."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from assistants.domain.sandbox import IDLE_SECONDS
from assistants.ports.sandbox import SandboxUnavailableError
from assistants.services.storage import keys
from assistants.services.tools.code_interpreter.report import SESSION_REPLACED
from tests.support.code_interpreter_case import CodeInterpreterCase


@pytest.fixture
def case() -> CodeInterpreterCase:
    return CodeInterpreterCase(sandbox_spares=2)


def keep(case: CodeInterpreterCase) -> None:
    case.backend.tools.warm_pool.keep()


def waiting(case: CodeInterpreterCase) -> list[str]:
    return [key.sort for key in case.table.rows if key.partition == keys.WARM_POOL]


def test_as_many_as_asked_for_are_launched_and_no_more(case: CodeInterpreterCase) -> None:
    for _ in range(3):
        keep(case)
    assert len(case.sandboxes.launched) == 2
    assert waiting(case) == case.sandboxes.launched


def test_a_thread_takes_one_that_waits_and_another_follows(case: CodeInterpreterCase) -> None:
    keep(case)
    case.prepare()
    assert case.answer().output == "42"
    assert len(case.sandboxes.launched) == 2
    [used] = [machine for machine in case.sandboxes.machines.values() if machine.executed]
    assert used.name not in waiting(case)
    keep(case)
    assert len(waiting(case)) == 2
    assert case.sandboxes.stopped == []


def test_one_that_a_thread_takes_while_it_is_launched_does_not_hold_up_the_others(
    case: CodeInterpreterCase,
) -> None:
    launch = case.sandboxes.launch

    def taken(name: str, token: str) -> str:
        case.sandboxes.launch = launch  # type: ignore[method-assign]
        handle = launch(name, token)
        assert case.answer().output == "42"
        return handle

    case.sandboxes.launch = taken  # type: ignore[method-assign]
    keep(case)
    first, second = case.sandboxes.machines.values()
    assert (len(first.executed), waiting(case)) == (1, [second.name])
    assert case.sandboxes.stopped == []


def test_when_none_waits_one_is_launched(case: CodeInterpreterCase) -> None:
    assert case.answer().output == "42"
    assert len(case.sandboxes.launched) == 1


def test_one_that_is_claimed_belongs_to_one_thread_only() -> None:
    case = CodeInterpreterCase(sandbox_spares=5)
    keep(case)
    others = [CodeInterpreterCase(like=case, sandbox_spares=5) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        outputs = [answer.output for answer in pool.map(lambda other: other.answer(), others)]
    assert outputs == ["42"] * 8
    executed = [len(machine.executed) for machine in case.sandboxes.machines.values()]
    assert executed == [1] * 8


def test_those_that_would_end_soon_are_replaced_and_stopped(case: CodeInterpreterCase) -> None:
    keep(case)
    first = waiting(case)
    case.clock.now += IDLE_SECONDS - 300
    keep(case)
    assert sorted(case.sandboxes.stopped) == first
    assert len(waiting(case)) == 2
    assert not set(first) & set(waiting(case))


def test_one_that_would_end_soon_is_not_given_to_a_thread(case: CodeInterpreterCase) -> None:
    keep(case)
    case.clock.now += IDLE_SECONDS - 300
    case.answer()
    assert len(case.sandboxes.launched) == 3


def test_one_that_died_while_it_waited_is_replaced_without_a_word(
    case: CodeInterpreterCase,
) -> None:
    keep(case)
    case.sandboxes.kill()
    answer = case.answer()
    assert answer.output == "42"
    assert SESSION_REPLACED not in answer.output


def test_a_launch_that_failed_is_made_good_the_next_time(case: CodeInterpreterCase) -> None:
    case.sandboxes.unavailable = 1
    with pytest.raises(SandboxUnavailableError):
        keep(case)
    keep(case)
    assert len(waiting(case)) == 2
    assert sorted(case.sandboxes.machines) == waiting(case)


def test_fewer_are_kept_when_fewer_are_asked_for(case: CodeInterpreterCase) -> None:
    keep(case)
    none = CodeInterpreterCase(like=case)
    none.backend.tools.warm_pool.keep()
    assert waiting(case) == []
    assert sorted(case.sandboxes.stopped) == sorted(case.sandboxes.launched)
