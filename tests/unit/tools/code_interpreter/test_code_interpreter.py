"""The code interpreter as a tool: the output for the model, the step for clients, the new Files."""

from dataclasses import replace
from typing import Any

import pytest

from assistants.domain.sandbox import IDLE_SECONDS, TTL_SECONDS
from assistants.ports.hosted_tool import ToolAnswer
from assistants.ports.sandbox import Execution, MadeFile, SandboxRefusedError
from assistants.services.storage import keys
from assistants.services.tools.code_interpreter.report import MAX_CHARACTERS, SESSION_REPLACED
from tests.support.code_interpreter_case import PROJECT, CodeInterpreterCase
from tests.support.fake_sandboxes import PNG, PRINTED, Machine, plotted, printed


@pytest.fixture
def case() -> CodeInterpreterCase:
    return CodeInterpreterCase()


def names(answer: ToolAnswer) -> list[str]:
    return [output["type"] for output in answer.shown["outputs"]]


def test_output_of_code_reaches_the_model_and_is_shown(case: CodeInterpreterCase) -> None:
    answer = case.answer()
    assert answer.output == "42"
    assert answer.shown == {"outputs": [{"index": 0, "type": "logs", "logs": "42\n"}]}
    assert [code for _, code in case.machine.executed] == ["6 * 7"]


def test_code_without_output_says_so_to_the_model_and_shows_nothing(
    case: CodeInterpreterCase,
) -> None:
    case.sandboxes.program = lambda machine, code: replace(PRINTED, logs="")
    answer = case.answer()
    assert (answer.output, answer.shown) == ("(no output)", {"outputs": []})


def test_bare_code_is_executed_and_shown(case: CodeInterpreterCase) -> None:
    answer = case.answer("print(1)")
    assert case.machine.executed[0][1] == "print(1)"
    assert answer.shown["input"] == "print(1)"


@pytest.mark.parametrize(
    "arguments", ["", "{}", '{"code": 1}', '{"code": "pri', '{"code": ""}', '{"code": "\\ud800"}']
)
def test_bad_arguments_are_answered_without_a_session(
    case: CodeInterpreterCase, arguments: str
) -> None:
    assert case.answer(arguments).shown == {}
    assert case.sandboxes.launched == []


def test_long_logs_are_cut_in_the_middle_for_the_model_only(case: CodeInterpreterCase) -> None:
    logs = "".join(f"line {n}\n" for n in range(9_000))
    case.sandboxes.program = lambda machine, code: replace(PRINTED, logs=logs)
    answer = case.answer()
    assert len(answer.output) < MAX_CHARACTERS + 100
    assert answer.output.startswith("line 0\n") and answer.output.endswith("line 8999")
    assert "characters left out" in answer.output
    assert answer.shown["outputs"][0]["logs"] == logs


def test_long_names_of_files_are_cut_for_the_model_like_logs(case: CodeInterpreterCase) -> None:
    paths = ["/".join([f"{n:02}", *["d" * 250] * 15]) for n in range(20)]
    case.sandboxes.program = lambda machine, code: machine.write(**dict.fromkeys(paths, b"x"))
    answer = case.answer()
    assert list(answer.files) == paths
    assert answer.output.startswith("42\n[New files: 00/")
    assert len(answer.output) < MAX_CHARACTERS + 100


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"reason": "timeout"}, "took too long"),
        ({"reason": "memory", "lost": True}, "variables are gone"),
        ({"reason": "output"}, "printed too much"),
        ({"skipped": 3}, "3 images or files were not taken"),
    ],
)
def test_what_happened_to_the_code_is_put_into_words(
    case: CodeInterpreterCase, members: dict[str, Any], words: str
) -> None:
    case.sandboxes.program = lambda machine, code: replace(PRINTED, ok=False, **members)
    assert words in case.answer().output


def test_images_become_files_and_are_shown_after_the_logs(case: CodeInterpreterCase) -> None:
    case.sandboxes.program = plotted
    answer = case.answer()
    [image] = answer.images
    assert names(answer) == ["logs", "image"]
    assert answer.shown["outputs"][1] == {"index": 1, "type": "image", "image": {"file_id": image}}
    file = case.backend.files.service.get(PROJECT, image)
    assert (file.purpose, file.filename, file.bytes) == (
        "assistants_output",
        f"{image}.png",
        len(PNG),
    )
    assert case.content(image) == PNG


def test_files_that_code_makes_become_files_that_texts_may_link_to(
    case: CodeInterpreterCase,
) -> None:
    case.sandboxes.program = lambda machine, code: machine.write(**{"out/clean.csv": b"a\n1\n"})
    answer = case.answer()
    file = case.backend.files.service.get(PROJECT, answer.files["out/clean.csv"])
    assert (file.filename, file.bytes, file.purpose) == ("clean.csv", 4, "assistants_output")
    assert case.content(file.id) == b"a\n1\n"
    assert "sandbox:/mnt/data/out/clean.csv" in answer.output


def test_files_of_earlier_calls_and_runs_are_still_known(case: CodeInterpreterCase) -> None:
    case.sandboxes.program = lambda machine, code: machine.write(**{code: b"x"})
    first = case.answer('{"code": "one"}').files
    case.new_run()
    second = case.answer('{"code": "two"}').files
    assert second == {**first, "two": second["two"]}


def test_a_file_written_again_is_a_new_file_unless_its_content_is_the_same(
    case: CodeInterpreterCase,
) -> None:
    case.sandboxes.program = lambda machine, code: machine.write(out=code.encode())
    first = case.answer('{"code": "1"}').files["out"]
    assert case.answer('{"code": "1"}').files["out"] == first
    second = case.answer('{"code": "2"}').files["out"]
    assert second != first
    assert (case.content(first), case.content(second)) == (b"1", b"2")


def test_a_file_that_was_deleted_is_made_again(case: CodeInterpreterCase) -> None:
    case.sandboxes.program = lambda machine, code: machine.write(out=b"same")
    first = case.answer().files["out"]
    case.backend.files.service.delete(PROJECT, first)
    assert case.answer().files["out"] != first


def test_of_a_thousand_files_some_are_kept_and_the_rest_is_mentioned(
    case: CodeInterpreterCase,
) -> None:
    def crowd(machine: Machine, code: str) -> Execution:
        made = machine.write(**{f"{n:03}": b"x" for n in range(100)})
        return replace(made, skipped=900)

    case.sandboxes.program = crowd
    answer = case.answer()
    assert len(answer.files) == 20
    assert "80 more files were not kept" in answer.output
    assert "900 images or files were not taken" in answer.output


def test_the_files_that_are_remembered_are_limited(case: CodeInterpreterCase) -> None:
    case.sandboxes.program = lambda machine, code: machine.write(
        **{f"{code}-{n}": b"x" for n in range(20)}
    )
    for call in range(20):
        answer = case.answer(f'{{"code": "{call}"}}')
    assert len(answer.files) == 300
    assert "19-0" in answer.files and "0-0" not in answer.files


def test_a_file_above_the_limit_is_mentioned(case: CodeInterpreterCase) -> None:
    huge = MadeFile("huge.bin", 513 << 20, None)
    case.sandboxes.program = lambda machine, code: replace(PRINTED, files=(huge,))
    answer = case.answer()
    assert "huge.bin was not kept: it has more than 512 MiB" in answer.output
    assert (answer.files, case.machine.taken) == ({}, [])


def test_a_file_that_is_gone_before_it_is_taken_is_mentioned_and_leaves_nothing(
    case: CodeInterpreterCase,
) -> None:
    gone = MadeFile("gone", 1, "hash")
    case.sandboxes.program = lambda machine, code: replace(PRINTED, files=(gone,))
    answer = case.answer()
    assert "gone could not be kept" in answer.output
    assert case.blobs.contents == {}
    assert not [key for key in case.table.rows if key.partition == f"P#{PROJECT}#blob"]


def test_of_a_session_that_is_lost_no_more_files_are_asked(case: CodeInterpreterCase) -> None:
    def last(machine: Machine, code: str) -> Execution:
        made = machine.write(**{f"{n}": b"x" for n in range(20)})
        machine.results[machine.executed[-1][0]] = made
        case.sandboxes.take_kills = True
        return made

    case.sandboxes.program = last
    answer = case.answer()
    assert answer.output.count("the session has ended") == 20
    assert case.machine.taken == ["0"]
    case.sandboxes.take_kills = False
    case.sandboxes.program = printed
    assert SESSION_REPLACED in case.answer().output


def test_files_of_the_run_are_there_before_its_code_and_copied_once(
    case: CodeInterpreterCase,
) -> None:
    case.new_run(case.upload("sales.csv"), case.upload("sales.csv", b"other"))
    seen: list[dict[str, bytes]] = []

    def look(machine: Machine, code: str) -> Execution:
        seen.append(dict(machine.files))
        machine.files.pop("sales.csv", None)
        return PRINTED

    case.sandboxes.program = look
    case.answer()
    case.answer()
    assert seen == [
        {"sales.csv": b"a,b\n1,2\n", "sales-2.csv": b"other"},
        {"sales-2.csv": b"other"},
    ]


def test_files_that_come_later_join_those_that_are_there(case: CodeInterpreterCase) -> None:
    first, second = case.upload("a.csv", b"1"), case.upload("b.csv", b"2")
    case.new_run(first)
    case.answer()
    case.machine.files["a.csv"] = b"changed by code"
    case.new_run(first, second)
    case.answer()
    assert case.machine.files == {"a.csv": b"changed by code", "b.csv": b"2"}


def test_a_deleted_file_is_mentioned_and_no_error(case: CodeInterpreterCase) -> None:
    kept, deleted = case.upload("kept.csv"), case.upload("deleted.csv")
    case.backend.files.service.delete(PROJECT, deleted)
    case.new_run(kept, deleted)
    output = case.answer().output
    assert f"The file {deleted} has been deleted." in output
    assert list(case.machine.files) == ["kept.csv"]


def test_a_file_whose_bytes_vanish_while_it_is_copied_is_mentioned(
    case: CodeInterpreterCase,
) -> None:
    file_id = case.upload("a.csv")
    case.blobs.contents.clear()
    case.new_run(file_id)
    assert "The file a.csv has been deleted." in case.answer().output


def test_variables_are_kept_from_run_to_run(case: CodeInterpreterCase) -> None:
    case.answer()
    case.new_run()
    case.answer()
    assert len(case.sandboxes.machines) == 1
    assert len(case.machine.executed) == 2


def test_two_calls_of_one_turn_share_one_session_and_its_files(case: CodeInterpreterCase) -> None:
    """The second call comes while the first copies files: it waits."""
    case.new_run(case.upload("a.csv"))
    second: list[ToolAnswer] = []
    real = case.blobs.read

    def read(name: str) -> Any:
        case.blobs.read = real  # type: ignore[method-assign]
        before = case.clock.sleep

        def sleep(seconds: float) -> None:
            case.clock.sleep = before  # type: ignore[method-assign]
            raise TimeoutError  # the second has begun to wait

        case.clock.sleep = sleep  # type: ignore[method-assign]
        with pytest.raises(TimeoutError):
            second.append(case.answer())
        return real(name)

    case.blobs.read = read  # type: ignore[method-assign]
    case.answer()
    assert second == []
    assert case.answer().output == "42"
    assert len(case.sandboxes.launched) == 1


def test_a_call_that_saw_an_older_row_does_not_copy_over_what_code_has_changed(
    case: CodeInterpreterCase,
) -> None:
    """Between its look at the row and its claim, another call copies the files and runs."""
    case.new_run(case.upload("a.csv", b"uploaded"))
    case.prepare()
    commit = case.table.commit

    def overtaken(*writes: Any) -> None:
        if any("'copy_lease': {" in repr(write) for write in writes):
            case.table.commit = commit  # type: ignore[method-assign]
            case.sandboxes.program = lambda machine, code: machine.write(**{"a.csv": b"changed"})
            case.answer()
            case.sandboxes.program = printed
        commit(*writes)

    case.table.commit = overtaken  # type: ignore[method-assign]
    case.answer()
    assert len(case.machine.executed) == 2
    assert case.machine.files == {"a.csv": b"changed"}


def test_a_name_that_passes_to_another_file_brings_its_content(case: CodeInterpreterCase) -> None:
    first, second = case.upload("a.csv", b"first"), case.upload("a.csv", b"second")
    case.new_run(first, second)
    case.answer()
    assert case.machine.files == {"a.csv": b"first", "a-2.csv": b"second"}
    case.backend.files.service.delete(PROJECT, first)
    case.answer()
    assert case.machine.files["a.csv"] == b"second"


def test_a_copy_that_was_given_up_is_taken_over_by_the_same_call_and_in_time_by_others(
    case: CodeInterpreterCase,
) -> None:
    case.new_run(case.upload("a.csv"))
    use = case.use()
    real = case.blobs.read

    def crash(name: str) -> Any:
        raise MemoryError

    case.blobs.read = crash  # type: ignore[method-assign]
    for _ in range(2):
        with pytest.raises(MemoryError):
            case.tool.answer(use)
    case.blobs.read = real  # type: ignore[method-assign]
    before = case.clock.now
    assert case.answer().output == "42"
    assert 250 < case.clock.now - before < 350
    assert case.tool.answer(use).output == "42"


def test_an_answer_that_got_lost_is_given_again_without_running_twice(
    case: CodeInterpreterCase,
) -> None:
    def everything(machine: Machine, code: str) -> Execution:
        return replace(machine.write(out=b"1"), images=plotted(machine, code).images)

    case.sandboxes.program = everything
    use = case.use()
    first = case.tool.answer(use)
    files = sorted(key.sort for key in case.table.rows if key.partition == f"P#{PROJECT}#file")
    second = case.tool.answer(use)
    assert first == second
    assert len(case.machine.executed) == 1
    assert files == sorted(
        key.sort for key in case.table.rows if key.partition == f"P#{PROJECT}#file"
    )


def test_code_whose_session_ended_is_not_run_again(case: CodeInterpreterCase) -> None:
    case.answer()

    def die(machine: Machine, code: str) -> None:
        machine.dead = True

    case.sandboxes.program = die
    use = case.use()
    assert "nothing is known of its result" in case.tool.answer(use).output
    assert "nothing is known of its result" in case.tool.answer(use).output
    ran = [id for machine in case.sandboxes.machines.values() for id, _ in machine.executed]
    assert ran.count(use.id) == 1


def test_the_next_code_after_a_lost_session_mentions_it_once(case: CodeInterpreterCase) -> None:
    case.answer()
    case.sandboxes.kill()
    case.clock.now += 300
    assert SESSION_REPLACED in case.answer().output
    assert SESSION_REPLACED not in case.answer().output


def test_a_first_session_that_was_lost_before_any_code_is_not_mentioned(
    case: CodeInterpreterCase,
) -> None:
    case.prepare()
    case.sandboxes.kill()
    assert case.answer().output == "42"


def test_files_are_copied_again_into_a_new_session(case: CodeInterpreterCase) -> None:
    case.new_run(case.upload("a.csv"))
    case.answer()
    case.sandboxes.kill()
    case.clock.now += 300
    case.answer()
    assert len(case.sandboxes.machines) == 2
    assert list(case.machine.files) == ["a.csv"]


@pytest.mark.parametrize("seconds", [IDLE_SECONDS, TTL_SECONDS])
def test_a_session_that_has_ended_by_its_own_clock_is_not_asked(
    case: CodeInterpreterCase, seconds: int
) -> None:
    case.answer()
    first = case.machine
    case.clock.now += seconds
    requests = case.sandboxes.requests
    assert SESSION_REPLACED in case.answer().output
    assert case.machine is not first
    assert case.sandboxes.requests - requests == 2  # of the new session: ready, execute


def test_a_session_that_would_end_during_the_code_is_replaced_and_left_alone(
    case: CodeInterpreterCase,
) -> None:
    case.answer()
    for _ in range(5):
        case.clock.now += IDLE_SECONDS // 2
        case.answer()
    case.clock.now += TTL_SECONDS - 5 * IDLE_SECONDS // 2 - 100
    case.answer()
    assert len(case.sandboxes.machines) == 2
    assert case.sandboxes.stopped == []


def test_a_session_is_launched_before_it_is_needed_and_only_once(case: CodeInterpreterCase) -> None:
    case.prepare()
    case.prepare()
    assert len(case.sandboxes.launched) == 1
    assert case.sandboxes.requests == 0
    case.answer()
    assert len(case.sandboxes.launched) == 1


def test_a_run_that_may_use_no_tool_launches_nothing(case: CodeInterpreterCase) -> None:
    case.new_run(tool_choice="none")
    case.prepare()
    assert case.sandboxes.launched == []


def test_a_launch_whose_answer_was_lost_is_repeated_by_the_same_name(
    case: CodeInterpreterCase,
) -> None:
    launch = case.sandboxes.launch

    def crash(name: str, token: str) -> str:
        launch(name, token)
        raise MemoryError

    case.sandboxes.launch = crash  # type: ignore[method-assign]
    with pytest.raises(MemoryError):
        case.prepare()
    case.sandboxes.launch = launch  # type: ignore[method-assign]
    case.answer()
    assert len(case.sandboxes.machines) == 1
    assert len(set(case.sandboxes.launched)) == 1


def test_code_waits_for_a_session_that_comes_up(case: CodeInterpreterCase) -> None:
    case.sandboxes.coming_up = 20
    assert case.answer().output == "42"
    assert 30 < case.clock.now - 1_800_000_000 < 40


def test_a_session_lost_while_it_was_launched_is_replaced(case: CodeInterpreterCase) -> None:
    case.prepare()
    case.sandboxes.kill()
    case.answer()
    assert len(case.sandboxes.machines) == 2
    assert case.sandboxes.stopped == [case.sandboxes.launched[0]]


def test_a_session_that_never_answers_is_replaced(case: CodeInterpreterCase) -> None:
    case.prepare()
    case.machine.silent = 10_000
    assert case.answer().output == "42"
    assert len(case.sandboxes.machines) == 2
    assert case.clock.now - 1_800_000_000 < 300


def test_a_launch_that_fails_is_tried_again_under_another_name(case: CodeInterpreterCase) -> None:
    case.sandboxes.unavailable = 1
    assert case.answer().output == "42"
    assert len(set(case.sandboxes.launched)) == 2


def test_without_a_session_the_model_reads_so(case: CodeInterpreterCase) -> None:
    case.sandboxes.unavailable = 100
    answer = case.answer()
    assert "cannot be started at the moment" in answer.output
    assert len(case.sandboxes.launched) == 3


def test_whoever_operates_it_reads_why_there_is_no_session(
    case: CodeInterpreterCase, caplog: pytest.LogCaptureFixture
) -> None:
    case.prepare()
    case.sandboxes.kill()
    case.sandboxes.unavailable = 1
    case.answer()
    reasons = [vars(record).get("reason") for record in caplog.records]
    handle = f"task/{case.sandboxes.launched[0]}"
    assert [reason for reason in reasons if reason] == [handle, "capacity"]


def test_a_cancelled_run_interrupts_its_code(case: CodeInterpreterCase) -> None:
    case.sandboxes.program = lambda machine, code: None
    looks = iter([False, False, True])
    case.cancelled = lambda: next(looks)
    use = case.use()
    case.tool.answer(use)
    assert case.machine.cancelled == [use.id]
    assert case.clock.now - 1_800_000_000 <= 6


def test_a_run_cancelled_while_its_session_comes_up_ends_the_wait(
    case: CodeInterpreterCase,
) -> None:
    case.sandboxes.coming_up = 10_000
    case.cancelled = lambda: case.clock.now > 1_800_000_003
    case.answer()
    assert case.clock.now - 1_800_000_000 < 6


def test_a_run_cancelled_while_its_files_are_copied_ends_the_copying(
    case: CodeInterpreterCase,
) -> None:
    case.new_run(*(case.upload(f"{n}.csv") for n in range(9)))
    case.cancelled = lambda: len(case.machine.files) == 2
    assert "was not executed" in case.answer().output
    assert (len(case.machine.files), case.machine.executed) == (2, [])


def test_code_gets_no_more_time_than_the_run(case: CodeInterpreterCase) -> None:
    given: list[float] = []
    case.answer()
    session = type(case.sandboxes.open("http://x", ""))
    execute = session.execute

    def record(self: Any, id: str, code: str, *, seconds: float, wait: float) -> Any:
        given.append(seconds)
        return execute(self, id, code, seconds=seconds, wait=wait)

    session.execute = record  # type: ignore[method-assign]
    try:
        case.answer(seconds_left=600)
        case.answer(seconds_left=45)
        case.answer(seconds_left=1)
    finally:
        session.execute = execute  # type: ignore[method-assign]
    assert given == [120, 40, 1]


def test_code_that_is_not_finished_at_the_runs_end_is_interrupted(
    case: CodeInterpreterCase,
) -> None:
    case.sandboxes.program = lambda machine, code: None
    use = case.use(seconds_left=30)
    assert "time was up" in case.tool.answer(use).output
    assert case.machine.cancelled == [use.id]


def test_a_session_that_is_full_is_asked_again(case: CodeInterpreterCase) -> None:
    refusals = [SandboxRefusedError("session_full")] * 2

    def full(machine: Machine, code: str) -> Execution:
        if refusals:
            raise refusals.pop()
        return PRINTED

    case.sandboxes.program = full
    assert case.answer().output == "42"


def test_a_refusal_reaches_the_model(case: CodeInterpreterCase) -> None:
    def refuse(machine: Machine, code: str) -> Execution:
        raise SandboxRefusedError("result_gone")

    case.sandboxes.program = refuse
    assert case.answer().output == "The session gave no result for the code: result_gone."


def test_the_calls_of_the_table_are_few(case: CodeInterpreterCase) -> None:
    """Of a session's first code and of its next; a call of the proxy for each request."""
    case.answer()
    first = (case.table.calls, case.sandboxes.requests)
    case.answer()
    second = (case.table.calls - first[0], case.sandboxes.requests - first[1])
    assert first == (4, 2)  # read, begin, handle, send; ready, execute
    assert second == (2, 1)  # read, send; execute


def test_the_token_is_in_the_row_and_in_no_answer(case: CodeInterpreterCase) -> None:
    answer = case.answer()
    token = case.sandbox["session"]["token"]
    assert len(token) >= 43
    assert token not in repr(answer)


def test_an_orphan_is_stopped_after_its_time(case: CodeInterpreterCase) -> None:
    case.answer()
    case.sandboxes.program = lambda machine, code: machine.write(out=b"1")
    files = case.answer().files
    case.clock.now += TTL_SECONDS + 30
    case.backend.maintenance.sweeper.sweep()
    assert case.sandboxes.stopped == []
    case.clock.now += 31
    case.backend.maintenance.sweeper.sweep()
    assert case.sandboxes.stopped == [case.machine.name]
    assert case.sandbox["session"] is None
    case.backend.maintenance.sweeper.sweep()
    assert case.sandboxes.stopped == [case.machine.name]
    case.sandboxes.program = lambda machine, code: PRINTED
    answer = case.answer()
    assert SESSION_REPLACED in answer.output
    assert answer.files == files


def test_the_index_may_name_a_session_that_has_been_replaced(
    case: CodeInterpreterCase,
) -> None:
    case.answer()
    case.backend.tools.sandbox_sessions.expire(PROJECT, case.thread_id)
    assert case.sandboxes.stopped == []


def test_a_deleted_thread_takes_its_session_with_it(case: CodeInterpreterCase) -> None:
    case.answer()
    case.backend.threads.service.delete(PROJECT, case.thread_id)
    case.backend.maintenance.purge.work(PROJECT, case.thread_id, seconds=0)
    assert case.sandboxes.stopped == [case.machine.name]
    assert keys.sandbox(PROJECT, case.thread_id) not in case.table.rows


def test_no_session_begins_in_a_thread_that_is_gone(case: CodeInterpreterCase) -> None:
    case.backend.threads.service.delete(PROJECT, case.thread_id)
    case.answer()
    assert case.sandboxes.launched == []


def test_a_thread_deleted_while_its_session_is_launched_leaves_none(
    case: CodeInterpreterCase,
) -> None:
    launch = case.sandboxes.launch

    def deleting(name: str, token: str) -> str:
        case.backend.threads.service.delete(PROJECT, case.thread_id)
        case.backend.maintenance.purge.work(PROJECT, case.thread_id, seconds=0)
        return launch(name, token)

    case.sandboxes.launch = deleting  # type: ignore[method-assign]
    case.answer()
    assert case.sandboxes.stopped == case.sandboxes.launched
    assert keys.sandbox(PROJECT, case.thread_id) not in case.table.rows


def test_a_session_that_is_launched_while_its_thread_is_cleared_is_stopped(
    case: CodeInterpreterCase,
) -> None:
    launch, get = case.sandboxes.launch, case.table.get

    def crash(name: str, token: str) -> str:
        raise MemoryError

    def overtaken(*asked: Any) -> Any:
        rows = get(*asked)
        if keys.sandbox(PROJECT, case.thread_id) in asked:
            case.table.get = get  # type: ignore[method-assign]
            case.prepare()
        return rows

    case.sandboxes.launch = crash  # type: ignore[method-assign]
    with pytest.raises(MemoryError):
        case.prepare()
    case.sandboxes.launch = launch  # type: ignore[method-assign]
    case.backend.threads.service.delete(PROJECT, case.thread_id)
    case.table.get = overtaken  # type: ignore[method-assign]
    case.backend.maintenance.purge.work(PROJECT, case.thread_id, seconds=0)
    assert case.sandboxes.stopped == [case.machine.name]
    assert keys.sandbox(PROJECT, case.thread_id) not in case.table.rows


def test_code_that_loses_its_session_to_the_deletion_of_its_thread_leaves_no_other(
    case: CodeInterpreterCase,
) -> None:
    case.answer()
    stop = case.sandboxes.stop

    def overtaken(handle: str) -> None:
        case.sandboxes.stop = stop  # type: ignore[method-assign]
        stop(handle)
        for _ in range(2):  # the first learns of it, the second begins another
            case.answer()

    case.backend.threads.service.delete(PROJECT, case.thread_id)
    case.sandboxes.stop = overtaken  # type: ignore[method-assign]
    case.backend.maintenance.purge.work(PROJECT, case.thread_id, seconds=0)
    case.answer()
    assert [machine.dead for machine in case.sandboxes.machines.values()] == [True, True]
