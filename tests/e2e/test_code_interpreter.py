"""Code interpreter: a model's code runs in a session of its thread, files in and files out."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from openai import OpenAI
from openai.types.beta import Assistant, Thread
from openai.types.beta.threads import Message, Run

from infra.local import LocalStack
from infra.local.tasks import Task
from tests.e2e.fixture_types import MakeAssistant
from tests.e2e.node_sdk import NodeSdk
from tests.support.model_server import Call, Calls, ModelServer, ScriptedModel, Text

TOOLS: Any = [{"type": "code_interpreter"}]
CSV = b"day,sold\n1,10\n2,\n3,30\n"
CLEANED = b"day,sold\n1,10.0\n3,30.0\n"
CLEAN = """
import pandas as pd
import matplotlib.pyplot as plt
clean = pd.read_csv('/mnt/data/sales.csv').dropna()
clean.to_csv('/mnt/data/clean.csv', index=False)
plt.plot(clean.day, clean.sold)
plt.show()
print(len(clean), 'rows')
"""
LINK = "sandbox:/mnt/data/clean.csv"
# The stream cuts the link in two, after a character that is two units in UTF-16.
ANSWER = Text("📈 Done: [clean.csv](sandbox:/mnt", "/data/clean.csv).")
SCRIPT = (
    Calls(Call("code_interpreter", {"code": CLEAN})),
    ANSWER,
    Calls(Call("code_interpreter", {"code": "print(clean.sold.sum())"})),
    Text("40."),
)
RunOnce = Callable[[Thread, Assistant], Run]
Launched = Callable[[], list[Task]]


def code(source: str) -> Calls:
    return Calls(Call("code_interpreter", {"code": source}))


@pytest.fixture(params=["polled", "streamed"])
def run_once(client: OpenAI, request: pytest.FixtureRequest) -> RunOnce:
    """Runs an assistant on a thread to its end."""

    def polled(thread: Thread, assistant: Assistant) -> Run:
        return client.beta.threads.runs.create_and_poll(
            thread_id=thread.id, assistant_id=assistant.id, poll_interval_ms=50
        )

    def streamed(thread: Thread, assistant: Assistant) -> Run:
        with client.beta.threads.runs.stream(
            thread_id=thread.id, assistant_id=assistant.id
        ) as stream:
            stream.until_done()
            run = stream.current_run
        assert run is not None
        return run

    return {"polled": polled, "streamed": streamed}[request.param]


@pytest.fixture
def analyst(client: OpenAI, make_assistant: MakeAssistant) -> Iterator[Callable[..., Assistant]]:
    """Makes an assistant with the tool and a CSV; what the tests make of files is deleted."""

    def make(model: ScriptedModel) -> Assistant:
        file = client.files.create(file=("sales.csv", CSV), purpose="assistants")
        resources: Any = {"code_interpreter": {"file_ids": [file.id]}}
        return make_assistant(model.name, tools=TOOLS, tool_resources=resources)

    yield make
    for file in client.files.list():
        client.files.delete(file.id)


@pytest.fixture
def launched(stack: LocalStack) -> Launched:
    """Finds the sessions that came up during the test and have not ended."""
    before = set(stack.tasks.running())

    def find() -> list[Task]:
        running = stack.tasks.running()
        return [task for arn, task in running.items() if arn not in before]

    return find


def last_message(client: OpenAI, thread: Thread) -> Message:
    return client.beta.threads.messages.list(thread.id, limit=1).data[0]


def calls_of(client: OpenAI, run: Run) -> list[Any]:
    """Return the code calls of a run, in their order."""
    steps = client.beta.threads.runs.steps.list(run_id=run.id, thread_id=run.thread_id, order="asc")
    return [
        call.code_interpreter  # type: ignore[union-attr]
        for step in steps
        if step.step_details.type == "tool_calls"
        for call in step.step_details.tool_calls
    ]


def last_output(model: ScriptedModel, request: int) -> str:
    """Return the output of the last call in the n-th request to the model."""
    return str(model.requests[request].body["messages"][-1]["content"])


def test_a_csv_becomes_a_plot_and_a_cleaned_csv_and_a_second_run_goes_on(
    client: OpenAI,
    thread: Thread,
    analyst: Callable[..., Assistant],
    run_once: RunOnce,
    model_server: ModelServer,
) -> None:
    model = model_server.script(*SCRIPT)
    assistant = analyst(model)
    run = run_once(thread, assistant)
    assert (run.status, run.last_error) == ("completed", None)
    image, spoken = last_message(client, thread).content
    assert image.type == "image_file" and spoken.type == "text"
    assert client.files.content(image.image_file.file_id).content.startswith(b"\x89PNG")
    [annotation] = spoken.text.annotations
    assert annotation.type == "file_path"
    assert annotation.file_path is not None
    assert spoken.text.value[annotation.start_index : annotation.end_index] == LINK
    assert client.files.content(annotation.file_path.file_id).content == CLEANED
    made = client.files.retrieve(annotation.file_path.file_id)
    assert (made.filename, made.purpose) == ("clean.csv", "assistants_output")
    [call] = calls_of(client, run)
    assert call.input == CLEAN
    assert [output.type for output in call.outputs] == ["logs", "image"]
    assert call.outputs[0].logs == "2 rows\n"
    assert call.outputs[1].image.file_id == image.image_file.file_id
    again = run_once(thread, assistant)
    assert again.status == "completed"
    [call] = calls_of(client, again)
    assert [output.logs for output in call.outputs] == ["40.0\n"]


def test_a_stream_shows_code_output_and_annotation_as_they_come(
    client: OpenAI,
    thread: Thread,
    analyst: Callable[..., Assistant],
    model_server: ModelServer,
) -> None:
    assistant = analyst(model_server.script(*SCRIPT))
    with client.beta.threads.runs.stream(thread_id=thread.id, assistant_id=assistant.id) as stream:
        events: list[Any] = list(stream)
        [message] = stream.get_final_messages()
    deltas = [event.data.delta for event in events if event.event == "thread.run.step.delta"]
    calls = [call.code_interpreter for one in deltas for call in one.step_details.tool_calls]
    assert "".join(call.input or "" for call in calls) == CLEAN
    assert [output.type for call in calls for output in call.outputs or ()] == ["logs", "image"]
    parts = [
        part
        for event in events
        if event.event == "thread.message.delta"
        for part in event.data.delta.content
    ]
    assert (parts[0].type, parts[0].index) == ("image_file", 0)
    annotated = [part.text for part in parts if part.type == "text" and part.text.annotations]
    [text] = annotated
    assert text.value.startswith(LINK)
    assert text.annotations[0].start_index == len(ANSWER.fragments[0]) - len("sandbox:/mnt")
    assert message.content == last_message(client, thread).content


def test_a_message_brings_a_file_for_the_code(
    client: OpenAI, make_assistant: MakeAssistant, model_server: ModelServer
) -> None:
    model = model_server.script(code("open('/mnt/data/notes.txt').read()"), Text("Read."))
    file = client.files.create(file=("notes.txt", b"seen"), purpose="assistants")
    attached: Any = {"file_id": file.id, "tools": TOOLS}
    thread = client.beta.threads.create(
        messages=[{"role": "user", "content": "Read it.", "attachments": [attached]}]
    )
    run = client.beta.threads.runs.create_and_poll(
        thread_id=thread.id, assistant_id=make_assistant(model.name, tools=TOOLS).id
    )
    assert run.status == "completed"
    assert last_output(model, 1) == "'seen'"
    client.beta.threads.delete(thread.id)
    client.files.delete(file.id)


def test_calls_side_by_side_share_one_session(
    client: OpenAI, make_assistant: MakeAssistant, thread: Thread, model_server: ModelServer
) -> None:
    calls = [Call("code_interpreter", {"code": f"seen_{n} = {n}; print({n})"}) for n in (1, 2)]
    model = model_server.script(Calls(*calls), code("print(seen_1 + seen_2)"), Text("3."))
    run = client.beta.threads.runs.create_and_poll(
        thread_id=thread.id, assistant_id=make_assistant(model.name, tools=TOOLS).id
    )
    assert run.status == "completed"
    logs = [call.outputs[0].logs for call in calls_of(client, run)]
    assert logs == ["1\n", "2\n", "3\n"]


def test_a_thread_does_not_see_the_variables_and_files_of_another(
    client: OpenAI, make_assistant: MakeAssistant, thread: Thread, model_server: ModelServer
) -> None:
    look = "import os; print('secret' in globals(), os.listdir('/mnt/data'))"
    model = model_server.script(
        code("secret = 1; open('/mnt/data/secret', 'w').close()"), Text("Kept."), code(look), Text()
    )
    assistant = make_assistant(model.name, tools=TOOLS)
    other = client.beta.threads.create()
    for one in (thread, other):
        run = client.beta.threads.runs.create_and_poll(thread_id=one.id, assistant_id=assistant.id)
        assert run.status == "completed"
    assert last_output(model, 3) == "False []"
    client.beta.threads.delete(other.id)


def test_a_cancelled_run_stops_its_code_and_keeps_the_variables(
    client: OpenAI,
    make_assistant: MakeAssistant,
    thread: Thread,
    model_server: ModelServer,
    launched: Launched,
) -> None:
    endless = code("begun = 1\nopen('/mnt/data/begun', 'w').close()\nwhile True: pass")
    model = model_server.script(endless, code("print(begun)"), Text("One."))
    assistant = make_assistant(model.name, tools=TOOLS)
    run = client.beta.threads.runs.create(thread.id, assistant_id=assistant.id)
    while not any((task.files / "data/begun").exists() for task in launched()):
        time.sleep(0.05)
    client.beta.threads.runs.cancel(run.id, thread_id=thread.id)
    run = client.beta.threads.runs.poll(run.id, thread_id=thread.id, poll_interval_ms=50)
    assert run.status == "cancelled"
    [step] = client.beta.threads.runs.steps.list(run.id, thread_id=thread.id)
    assert step.status == "cancelled"
    again = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
    assert again.status == "completed"
    assert last_output(model, 2) == "1"


def test_a_session_that_dies_is_replaced_and_the_model_learns_of_it(
    client: OpenAI,
    make_assistant: MakeAssistant,
    thread: Thread,
    model_server: ModelServer,
    launched: Launched,
) -> None:
    look = code("print('kept' in globals())")
    model = model_server.script(code("kept = 1"), Text("Kept."), look, look, Text("GoneError."))
    assistant = make_assistant(model.name, tools=TOOLS)
    client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
    [task] = launched()
    os.kill(task.process_id, signal.SIGKILL)
    while launched():
        time.sleep(0.02)
    run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
    assert run.status == "completed"
    assert "All variables" in last_output(model, 3) and "are gone" in last_output(model, 3)
    assert last_output(model, 4).startswith("False\n[This is a new session")


def test_a_deleted_thread_takes_its_session_along(
    client: OpenAI, make_assistant: MakeAssistant, model_server: ModelServer, launched: Launched
) -> None:
    model = model_server.script(code("1"), Text("One."))
    thread = client.beta.threads.create()
    client.beta.threads.runs.create_and_poll(
        thread_id=thread.id, assistant_id=make_assistant(model.name, tools=TOOLS).id
    )
    assert len(launched()) == 1
    client.beta.threads.delete(thread.id)
    while launched():
        time.sleep(0.05)


@pytest.mark.parametrize("scenario", ["codeInterpreterPolled", "codeInterpreterStream"])
def test_the_node_sdk_gets_plot_file_and_variables(
    node: NodeSdk, model_server: ModelServer, scenario: str
) -> None:
    seen = node.run("scenarios.mjs", scenario, model_server.script(*SCRIPT).name)
    assert seen["statuses"] == ["completed", "completed"]
    assert seen["types"] == ["image_file", "text"]
    assert (seen["png"], seen["cleaned"]) == ("PNG", CLEANED.decode())
    annotation, value = seen["annotation"], seen["value"]
    assert value[annotation["start_index"] : annotation["end_index"]] == annotation["text"] == LINK
    assert seen["outputs"] == [{"type": "logs", "logs": "40.0\n"}]
    if scenario.endswith("Stream"):
        assert seen["streamed"]["annotations"] == 1
        assert seen["streamed"]["outputs"] == ["logs", "image"]
