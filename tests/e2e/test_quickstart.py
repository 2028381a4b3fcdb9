"""Quickstart and function-calling guide of the original documentation, with our base_url."""

from typing import Any

import openai
import pytest
from openai import AssistantEventHandler, OpenAI
from openai.types.beta import Thread
from openai.types.beta.threads import Run
from typing_extensions import override

from tests.e2e.envelope import error
from tests.e2e.fixture_types import MakeAssistant
from tests.support.model_server import Calls, ModelServer, Text

WEATHER_TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": "get_current_temperature",
            "description": "Get the current temperature for a specific location",
            "parameters": {
                "type": "object",
                "properties": {
                    "location": {
                        "type": "string",
                        "description": "The city and state, e.g., San Francisco, CA",
                    },
                    "unit": {"type": "string", "enum": ["Celsius", "Fahrenheit"]},
                },
                "required": ["location", "unit"],
            },
        },
    },
    {
        "type": "function",
        "function": {
            "name": "get_rain_probability",
            "description": "Get the probability of rain for a specific location",
            "parameters": {
                "type": "object",
                "properties": {"location": {"type": "string"}},
                "required": ["location"],
            },
        },
    },
]
OUTPUTS = {"get_current_temperature": "57", "get_rain_probability": "0.06"}
QUESTION = "What's the weather in San Francisco today and the likelihood it'll rain?"
WEATHER_SCRIPT = (
    Calls(
        get_current_temperature={"location": "San Francisco, CA", "unit": "Fahrenheit"},
        get_rain_probability={"location": "San Francisco, CA"},
    ),
    Text("It is 57 °F ", "with a 6% chance ", "of rain."),
)


class Printer(AssistantEventHandler):
    """The guide's first event handler; keeps what the guide prints."""

    def __init__(self) -> None:
        super().__init__()
        self.printed: list[str] = []

    @override
    def on_text_created(self, text: Any) -> None:
        self.printed.append("assistant > ")

    @override
    def on_text_delta(self, delta: Any, snapshot: Any) -> None:
        self.printed.append(delta.value)


class WeatherHandler(AssistantEventHandler):
    """The guide's second event handler, which submits outputs from inside an event."""

    def __init__(self, client: OpenAI) -> None:
        super().__init__()
        self.client = client
        self.answer = ""

    @override
    def on_event(self, event: Any) -> None:
        if event.event == "thread.run.requires_action":
            self.submit(event.data)

    def submit(self, run: Run) -> None:
        assert self.current_run is not None
        with self.client.beta.threads.runs.submit_tool_outputs_stream(
            thread_id=self.current_run.thread_id,
            run_id=self.current_run.id,
            tool_outputs=outputs(run),
            event_handler=AssistantEventHandler(),
        ) as stream:
            for text in stream.text_deltas:
                self.answer += text
            stream.until_done()


def outputs(run: Run) -> list[Any]:
    assert run.required_action is not None
    calls = run.required_action.submit_tool_outputs.tool_calls
    return [{"tool_call_id": c.id, "output": OUTPUTS[c.function.name]} for c in calls]


def latest_text(client: OpenAI, thread: Thread) -> str:
    block = client.beta.threads.messages.list(thread_id=thread.id).data[0].content[0]
    assert block.type == "text"
    return block.text.value


def test_the_quickstart_streams_a_conversation(
    client: OpenAI, make_assistant: MakeAssistant, thread: Thread, demo_model: str
) -> None:
    assistant = make_assistant(
        demo_model, name="Math Tutor", instructions="You are a personal math tutor."
    )
    message = client.beta.threads.messages.create(
        thread_id=thread.id, role="user", content="I need to solve `3x + 11 = 14`. Can you help?"
    )
    assert message.role == "user"
    handler = Printer()
    with client.beta.threads.runs.stream(
        thread_id=thread.id,
        assistant_id=assistant.id,
        instructions="Please address the user as Jane Doe. The user has a premium account.",
        event_handler=handler,
    ) as stream:
        stream.until_done()
    assert handler.printed[0] == "assistant > "
    assert "".join(handler.printed[1:]) == latest_text(client, thread)


def test_the_quickstart_polls_a_run(
    client: OpenAI, make_assistant: MakeAssistant, thread: Thread, demo_model: str
) -> None:
    assistant = make_assistant(demo_model)
    run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
    assert run.status == "completed"
    assert run.usage is not None
    assert run.usage.total_tokens == run.usage.prompt_tokens + run.usage.completion_tokens
    assert latest_text(client, thread)


def test_the_demo_model_calls_a_function_and_reads_its_output(
    client: OpenAI, make_assistant: MakeAssistant, thread: Thread, demo_model: str
) -> None:
    assistant = make_assistant(demo_model, tools=WEATHER_TOOLS[:1])
    run = client.beta.threads.runs.create_and_poll(
        thread_id=thread.id, assistant_id=assistant.id, tool_choice="required"
    )
    assert run.status == "requires_action"
    run = client.beta.threads.runs.submit_tool_outputs_and_poll(
        thread_id=thread.id, run_id=run.id, tool_outputs=outputs(run)
    )
    assert run.status == "completed"
    assert "57" in latest_text(client, thread)


def test_the_function_calling_guide_with_streaming(
    client: OpenAI, make_assistant: MakeAssistant, model_server: ModelServer
) -> None:
    model = model_server.script(*WEATHER_SCRIPT)
    assistant = make_assistant(
        model.name,
        instructions="You are a weather bot. Use the provided functions to answer questions.",
        tools=WEATHER_TOOLS,
    )
    thread = client.beta.threads.create()
    client.beta.threads.messages.create(thread_id=thread.id, role="user", content=QUESTION)
    handler = WeatherHandler(client)
    with client.beta.threads.runs.stream(
        thread_id=thread.id, assistant_id=assistant.id, event_handler=handler
    ) as stream:
        stream.until_done()
    assert handler.answer == "It is 57 °F with a 6% chance of rain."
    assert latest_text(client, thread) == handler.answer


def test_the_function_calling_guide_without_streaming(
    client: OpenAI, make_assistant: MakeAssistant, model_server: ModelServer
) -> None:
    model = model_server.script(*WEATHER_SCRIPT)
    assistant = make_assistant(
        model.name, instructions="You are a weather bot.", tools=WEATHER_TOOLS
    )
    thread = client.beta.threads.create(messages=[{"role": "user", "content": QUESTION}])
    run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
    assert run.status == "requires_action"
    run = client.beta.threads.runs.submit_tool_outputs_and_poll(
        thread_id=thread.id, run_id=run.id, tool_outputs=outputs(run)
    )
    assert run.status == "completed"
    assert latest_text(client, thread) == "It is 57 °F with a 6% chance of rain."

    asked = [message["role"] for message in model.requests[1].body["messages"]]
    assert asked == ["system", "user", "assistant", "tool", "tool"]
    system, user, called, *answers = model.requests[1].body["messages"]
    assert system["content"] == "You are a weather bot."
    assert QUESTION in str(user["content"])
    assert [answer["content"] for answer in answers] == ["57", "0.06"]
    assert [call["id"] for call in called["tool_calls"]] == [a["tool_call_id"] for a in answers]


def test_a_thread_is_created_and_run_in_one_call(
    client: OpenAI, make_assistant: MakeAssistant, demo_model: str
) -> None:
    assistant = make_assistant(demo_model)
    run = client.beta.threads.create_and_run_poll(
        assistant_id=assistant.id, thread={"messages": [{"role": "user", "content": "Hello"}]}
    )
    assert run.status == "completed"
    assert [m.role for m in client.beta.threads.messages.list(thread_id=run.thread_id)] == [
        "assistant",
        "user",
    ]


def test_the_sdk_raises_its_own_errors(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.beta.assistants.retrieve("asst_unknown")
    assert caught.value.request_id
    assert caught.value.body == error("No assistant found with id 'asst_unknown'.")
