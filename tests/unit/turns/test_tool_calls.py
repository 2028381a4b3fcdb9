"""Tools that run on the server: the model calls them, and each call is answered once."""

from assistants.domain.assistant import AssistantCreate
from assistants.domain.ids import ASSISTANT, RUN, THREAD, ProjectId, RunRef, new_id
from assistants.domain.run import RunCreate, ToolOutputsSubmit
from assistants.domain.thread import ThreadCreate
from assistants.ports.chat_model import ToolCallDelta
from assistants.services.turns.reply_calls import MAX_HOSTED_CALLS
from tests.support.deployment import Deployment
from tests.support.fake_tools import FakeTool
from tests.support.fakes import (
    Script,
)

PROJECT = ProjectId("p")
CODE = {"type": "code_interpreter"}
WEATHER = {"type": "function", "function": {"name": "weather"}}


class Case:
    """A run of an assistant with a code interpreter and a function."""

    def __init__(self, *turns: Script) -> None:
        self.tool = FakeTool()
        deployment = Deployment(*turns, machine=False, tools={"code_interpreter": self.tool})
        self.model, self.backend = deployment.model, deployment.backend
        assistant = self.backend.assistants.service.create(
            PROJECT,
            AssistantCreate.model_validate({"model": "demo", "tools": [CODE, WEATHER]}),
            new_id(ASSISTANT),
        )
        thread = ThreadCreate.model_validate({"messages": [{"role": "user", "content": "2+2?"}]})
        self.thread_id = self.backend.threads.service.create(PROJECT, thread, new_id(THREAD)).id
        self.run = self.backend.runs.service.create(
            PROJECT, self.thread_id, RunCreate(assistant_id=assistant.id), new_id(RUN)
        )
        self.ref = RunRef(PROJECT, self.thread_id, self.run.id)


def test_a_call_is_answered_and_the_model_reads_the_answer() -> None:
    case = Case([ToolCallDelta(0, "x", "code_interpreter", '{"code": "2+2"}')], ["It is 4."])
    outcome = case.backend.turns.service.take(case.ref, 0)
    [call] = outcome["calls"]
    assert (outcome["next"], call["tool"]) == ("tools", "code_interpreter")
    assert not outcome["calls_functions"]
    case.backend.turns.tool_calls.answer(case.ref, call["call"])
    assert case.backend.turns.service.take(case.ref, 1)["next"] == "done"
    *_, call_message, output = case.model.requests[-1].messages
    assert call_message["tool_calls"][0]["function"] == {
        "name": "code_interpreter",
        "arguments": '{"code": "2+2"}',
    }
    assert output["content"] == "printed 1"


def test_the_step_shows_code_and_output_and_is_completed_when_they_are_read() -> None:
    pieces: Script = [ToolCallDelta(0, "x", "code_interpreter")]
    pieces += [ToolCallDelta(0, arguments=piece) for piece in ('{"co', 'de": "a\\', "n", 'b"}')]
    case = Case(pieces, ["done"])
    [call] = case.backend.turns.service.take(case.ref, 0)["calls"]
    case.backend.turns.tool_calls.answer(case.ref, call["call"])
    case.backend.turns.service.take(case.ref, 1)
    events = list(case.backend.runs.event_stream.follow(PROJECT, case.run))
    names = [event.name for event in events if event]
    completed = names.index("thread.run.step.completed")
    assert names.index("thread.run.step.delta") < completed < names.index("thread.message.created")
    [step] = [
        event.data for event in events if event and event.name == "thread.run.step.completed"
    ][:1]
    assert step["step_details"]["tool_calls"] == [
        {
            "id": call["call"],
            "type": "code_interpreter",
            "code_interpreter": {"input": "a\nb", "outputs": [{"type": "logs", "logs": "1"}]},
        }
    ]


def test_a_repeated_state_does_not_use_the_tool_again() -> None:
    case = Case([ToolCallDelta(0, "x", "code_interpreter", '{"code": "2+2"}')], ["4"])
    [call] = case.backend.turns.service.take(case.ref, 0)["calls"]
    for _ in range(3):
        case.backend.turns.tool_calls.answer(case.ref, call["call"])
    assert len(case.tool.uses) == 1


def test_the_client_is_asked_for_its_functions_of_the_same_turn() -> None:
    case = Case(
        [
            ToolCallDelta(0, "x", "weather", "{}"),
            ToolCallDelta(1, "y", "code_interpreter", '{"code": "1"}'),
        ],
        ["Sunny, and 1."],
    )
    outcome = case.backend.turns.service.take(case.ref, 0)
    assert outcome["calls_functions"]
    case.backend.turns.tool_calls.answer(case.ref, outcome["calls"][0]["call"])
    case.backend.runs.callbacks.begin(case.ref, 1, "token")
    run = case.backend.runs.service.get(case.ref)
    assert run.required_action is not None
    [asked] = run.required_action["submit_tool_outputs"]["tool_calls"]
    assert asked["function"]["name"] == "weather"
    outputs = {"tool_outputs": [{"tool_call_id": asked["id"], "output": "sun"}]}
    case.backend.runs.tool_outputs.submit(case.ref, ToolOutputsSubmit.model_validate(outputs))
    assert case.backend.turns.service.take(case.ref, 1)["next"] == "done"
    assert [message["content"] for message in case.model.requests[-1].messages[-2:]] == [
        "sun",
        "printed 1",
    ]


def test_an_answer_for_a_cancelled_run_is_dropped() -> None:
    case = Case([ToolCallDelta(0, "x", "code_interpreter", '{"code": "1"}')])
    [call] = case.backend.turns.service.take(case.ref, 0)["calls"]
    case.backend.runs.cancellation.cancel(case.ref)
    case.backend.turns.tool_calls.answer(case.ref, call["call"])
    assert case.tool.uses == []
    assert case.backend.turns.service.take(case.ref, 1)["next"] == "done"
    assert case.backend.runs.service.get(case.ref).status == "cancelled"


def test_a_turn_that_calls_more_tools_than_can_be_saved_at_once_fails() -> None:
    def calls(count: int) -> Script:
        return [ToolCallDelta(n, f"x{n}", "code_interpreter", "{}") for n in range(count)]

    most = Case(calls(MAX_HOSTED_CALLS))
    assert len(most.backend.turns.service.take(most.ref, 0)["calls"]) == MAX_HOSTED_CALLS
    more = Case(calls(MAX_HOSTED_CALLS + 1))
    assert more.backend.turns.service.take(more.ref, 0)["next"] == "done"
    run = more.backend.runs.service.get(more.ref)
    assert run.status == "failed" and run.last_error
    assert run.last_error.message == "The model called the server's tools 65 times."
