"""The AWS calls of each kind of run, counted by the local stack's recorder."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from openai import OpenAI

from infra.local import LocalStack
from infra.local.trace import states_passed
from tests.support.model_server import Answer, Call, Calls, ModelServer, Part, Text

WEATHER: Any = {"type": "function", "function": {"name": "weather"}}
HELLO: Any = [{"role": "user", "content": "Hello"}]
HTTP_FUNCTIONS = ("Api", "Stream")
PACED = ("Stream dynamodb:Query", "CallModel dynamodb:TransactWriteItems")
"""Calls of a streamed run whose number depends on time: reads of the stream, flushes of text."""
Counts = dict[str, int]


@dataclass(frozen=True)
class RunCost:
    """What one run took: states entered and calls, as `Function service:Operation`."""

    states: list[str]
    calls: Counts


class CallCounter:
    """Counts calls on a stack that nobody else uses. It does not delete the objects it creates."""

    def __init__(self, stack: LocalStack, models: ModelServer) -> None:
        self._stack = stack
        self._models = models
        self.client = OpenAI(
            base_url=stack.base_url,
            api_key="sk-counted",
            max_retries=0,
            default_headers={"OpenAI-Beta": "assistants=v2"},
        )
        self.beta = self.client.beta

    def request(self, send: Callable[[], Any]) -> Counts:
        """Count the calls of the function that answers one request, as `service:Operation`."""
        self._stack.calls.clear()
        send()
        return {
            name.partition(" ")[2]: count
            for name, count in self._counts().items()
            if name.startswith(HTTP_FUNCTIONS)
        }

    def plain_run(self) -> RunCost:
        """Count a run that says one thing and that nobody watches."""
        return self._cost(self._start(self.thread(), Text("Hi")).id)

    def streamed_run(self) -> RunCost:
        """Count the same run, streamed."""
        assistant_id, thread_id = self.assistant(Text("Hi")), self.thread()
        self._stack.calls.clear()
        with self.beta.threads.runs.stream(thread_id=thread_id, assistant_id=assistant_id) as run:
            run.until_done()
        return self._cost(run.current_run.id if run.current_run else "")

    def function_run(self) -> RunCost:
        """Count two parallel calls, their outputs and an answer, without the polls in between."""
        calls = Calls(Call("weather", {"city": "Paris"}), Call("weather", {"city": "Rome"}))
        run = self._settled(self._start(self.thread(), calls, Text("Hi")))
        self.submit(run)
        return self._unpolled(run.id)

    def searching_run(self) -> RunCost:
        """Count one search of the assistant's vector store, which is empty, and an answer."""
        store_id = self.client.vector_stores.create().id
        model = self._models.script(Calls(file_search={"queries": ["cat"]}), Text("Hi"))
        assistant = self.beta.assistants.create(
            model=model.name,
            tools=[{"type": "file_search"}],
            tool_resources={"file_search": {"vector_store_ids": [store_id]}},
        )
        thread_id = self.thread()
        self._stack.calls.clear()
        return self._unpolled(
            self._settled(self.beta.threads.runs.create(thread_id, assistant_id=assistant.id)).id
        )

    def assistant(self, *answers: Answer | Part) -> str:
        """Create an assistant whose model gives these answers, and return its id."""
        model = self._models.script(*answers)
        return self.beta.assistants.create(model=model.name, tools=[WEATHER]).id

    def thread(self) -> str:
        """Create a thread with one message, and return its id."""
        return self.beta.threads.create(messages=HELLO).id

    def waiting_run(self) -> Any:
        """Create a run, and wait until it asks for the output of one call."""
        return self._settled(self._start(self.thread(), Calls(weather={}), Text("Hi")))

    def submit(self, run: Any) -> None:
        """Answer every call of a waiting run."""
        self.beta.threads.runs.submit_tool_outputs(
            run.id,
            thread_id=run.thread_id,
            tool_outputs=[
                {"tool_call_id": call.id, "output": "fine"}
                for call in run.required_action.submit_tool_outputs.tool_calls
            ],
        )

    def _cost(self, run_id: str) -> RunCost:
        return RunCost(states_passed(self._stack, run_id), self._counts())

    def _unpolled(self, run_id: str) -> RunCost:
        """Leave out the polls of the client that waited for the run."""
        cost = self._cost(run_id)
        counted = {call: n for call, n in cost.calls.items() if not call.startswith("Api ")}
        return RunCost(cost.states, counted)

    def _settled(self, run: Any) -> Any:
        return self.beta.threads.runs.poll(run.id, thread_id=run.thread_id, poll_interval_ms=20)

    def _counts(self) -> Counts:
        counts = self._stack.calls.counts().items()
        return dict(
            sorted(
                (f"{function} {service}:{operation}", count)
                for (function, service, operation), count in counts
                if function is not None
            )
        )

    def _start(self, thread_id: str, *answers: Answer | Part) -> Any:
        assistant_id = self.assistant(*answers)
        self._stack.calls.clear()
        return self.beta.threads.runs.create(thread_id, assistant_id=assistant_id)


def run_costs(counter: CallCounter) -> dict[str, RunCost]:
    """Count each kind of run, after a first one of each has started the workers."""
    kinds = {
        "plain": counter.plain_run,
        "streamed": counter.streamed_run,
        "function calls": counter.function_run,
        "file search": counter.searching_run,
    }
    for run in kinds.values():
        run()
    return {name: run() for name, run in kinds.items()}
