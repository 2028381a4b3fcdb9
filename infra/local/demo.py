"""Show a streamed conversation with a function call on the local stack (`make demo`).

The client is the official SDK, used as in any program for the Assistants API. The model is the
embedded `demo` model, so that neither a key nor a network is needed.
"""

import json
import shutil
import sys
import textwrap
import time
import warnings
from collections import Counter
from typing import Any

from openai import AssistantEventHandler, OpenAI
from typing_extensions import override

from infra.local import LocalStack
from infra.local.deployment import DeploymentError
from infra.local.synthesis import SynthesisError
from infra.local.trace import states_passed

GET_WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city right now",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "enum": ["Paris", "Rome"]}},
            "required": ["city"],
        },
    },
}
QUESTION = "Hello! Please call get_weather for Paris and tell me what to wear."
ANSWER = {"temperature": "14 °C", "sky": "light rain"}


class Terminal(AssistantEventHandler):
    """Print the assistant's text as it arrives, and answer its function calls."""

    def __init__(self, client: OpenAI, spoke_at: list[float]) -> None:
        super().__init__()
        self._client = client
        self._spoke_at = spoke_at

    @override
    def on_event(self, event: Any) -> None:
        if event.event == "thread.run.requires_action":
            self._answer(event.data)

    @override
    def on_text_created(self, text: Any) -> None:
        self._spoke_at.append(time.perf_counter())
        print("assistant > ", end="", flush=True)

    @override
    def on_text_delta(self, delta: Any, snapshot: Any) -> None:
        print(delta.value, end="", flush=True)

    @override
    def on_text_done(self, text: Any) -> None:
        print("\n")

    def _answer(self, run: Any) -> None:
        answer = json.dumps(ANSWER, ensure_ascii=False)
        outputs: list[Any] = []
        for call in run.required_action.submit_tool_outputs.tool_calls:
            print(f"assistant > calls {call.function.name}({call.function.arguments})")
            print(f"your code > returns {answer}\n")
            outputs.append({"tool_call_id": call.id, "output": answer})
        with self._client.beta.threads.runs.submit_tool_outputs_stream(
            run_id=run.id,
            thread_id=run.thread_id,
            tool_outputs=outputs,
            event_handler=Terminal(self._client, self._spoke_at),
        ) as stream:
            stream.until_done()


def main() -> None:
    """Start the local stack, hold the conversation twice, and print what happened."""
    # The SDK marks every call of the Assistants API as deprecated by OpenAI.
    warnings.filterwarnings("ignore", category=DeprecationWarning, module=__name__)
    try:
        _show()
    except (SynthesisError, DeploymentError) as error:
        sys.exit(str(error))


def _show() -> None:
    started = time.perf_counter()
    with LocalStack() as stack:
        print(f"The stack is up at {stack.base_url} after {_ms(time.perf_counter() - started)}.\n")
        with OpenAI(base_url=stack.base_url, api_key="sk-demo") as client:
            _converse(stack, client)
            print("The same again, now that the functions are warm:\n")
            _converse(stack, client)


def _converse(stack: LocalStack, client: OpenAI) -> None:
    assistant = client.beta.assistants.create(
        model="demo", instructions="You are a weather assistant.", tools=[GET_WEATHER]
    )
    thread = client.beta.threads.create(messages=[{"role": "user", "content": QUESTION}])
    print(f"you       > {QUESTION}\n")
    stack.calls.clear()
    spoke_at: list[float] = []
    started = time.perf_counter()
    with client.beta.threads.runs.stream(
        thread_id=thread.id,
        assistant_id=assistant.id,
        event_handler=Terminal(client, spoke_at),
    ) as stream:
        stream.until_done()
    ended = time.perf_counter()
    if stream.current_run is None:
        raise RuntimeError("The stream ended without a run.")
    states = states_passed(stack, stream.current_run.id)
    print(
        f"time       {_ms(spoke_at[0] - started)} to the first word, {_ms(ended - started)} in all"
    )
    print(f"states     {' > '.join(states)}")
    print(f"{_calls(stack)}\n")


def _calls(stack: LocalStack) -> str:
    counts: Counter[str] = Counter()
    for (function, service, operation), count in stack.calls.counts().items():
        if function is not None:
            counts[f"{service}:{operation}"] += count
    named = ", ".join(f"{count} {name}" for name, count in counts.most_common())
    columns = shutil.get_terminal_size().columns
    return textwrap.fill(f"AWS calls  {named}", columns, subsequent_indent=" " * 11)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms"


if __name__ == "__main__":
    main()
