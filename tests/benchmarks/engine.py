"""The usage and cost of runs on AWS, and the cost of a thread's length; part of `make bench`.

Prints tables and writes `.cache/bench-engine.json`.
"""

import json
import warnings
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

from infra.local import LocalStack
from infra.repository import REPOSITORY
from tests.benchmarks.long_threads import long_threads
from tests.benchmarks.report import table
from tests.support.bills import PRICES, Bill, Biller
from tests.support.call_counter import CallCounter
from tests.support.model_server import Answer, Calls, ModelServer, Part, Pause, Text, Turn

SECONDS = 4
WORDS_A_SECOND = 20
USED = ("written", "read", "calls", "transitions", "http_requests", "invocations", "gb_seconds")


def main() -> None:
    """Measure everything."""
    warnings.filterwarnings("ignore", ".*Assistants API", DeprecationWarning)
    bills, threads = _bills(), long_threads()
    runs = {name: {**asdict(bill), "dollars": bill.dollars} for name, bill in bills.items()}
    measured = {"prices": str(PRICES["date"]), "runs": runs, "threads": threads}
    cache = REPOSITORY / ".cache"
    cache.mkdir(exist_ok=True)
    (cache / "bench-engine.json").write_text(json.dumps(measured, indent=2))
    used = [(name, *(round(run[each], 2) for each in USED)) for name, run in runs.items()]
    print(table("What a run uses", ("run", *USED), used))
    services = tuple(next(iter(runs.values()))["dollars"])
    dollars = [(name, *run["dollars"].values()) for name, run in runs.items()]
    title = f"Dollars per 1,000 runs, {PRICES['date']}, without the model"
    print(table(title, ("run", *services), dollars))
    lengths = [tuple(each.values()) for each in threads]
    print(table("What a thread's length costs", tuple(threads[0]), lengths))


def _bills() -> dict[str, Bill]:
    with ModelServer() as models, _stack(models.url) as stack:
        counter, biller = CallCounter(stack, models), Biller(stack)
        bills = {}
        for name, prepare in _kinds(counter).items():
            for _ in range(2):  # the first one starts the workers
                bills[name] = biller.bill(prepare())
        return bills


def _stack(model_url: str) -> LocalStack:
    return LocalStack(parameters={"ModelUrl": model_url, "Auth": "open"})


def _kinds(counter: CallCounter) -> dict[str, Callable[[], Callable[[], Any]]]:
    """Return the kinds of run, each as a function that prepares one and returns its start."""
    calls = Calls(weather={"city": "Paris"})
    return {
        "plain": partial(_plain, counter, Text("Hi")),
        f"plain, speaks {SECONDS} s": partial(_plain, counter, _speech()),
        "streamed": partial(_streamed, counter, Text("Hi")),
        f"streamed, speaks {SECONDS} s": partial(_streamed, counter, _speech()),
        "function call, streamed": partial(_called, counter, calls, Text("Hi")),
    }


def _speech() -> Answer:
    parts: list[Part] = []
    for _ in range(SECONDS * WORDS_A_SECOND):
        parts += [Text("word "), Pause(1 / WORDS_A_SECOND)]
    return Turn(*parts)


def _plain(counter: CallCounter, *answers: Answer | Part) -> Callable[[], Any]:
    thread_id, assistant_id = counter.thread(), counter.assistant(*answers)
    return lambda: counter.beta.threads.runs.create(thread_id, assistant_id=assistant_id)


def _streamed(counter: CallCounter, *answers: Answer | Part) -> Callable[[], Any]:
    thread_id, assistant_id = counter.thread(), counter.assistant(*answers)

    def conduct() -> Any:
        runs = counter.beta.threads.runs
        with runs.stream(thread_id=thread_id, assistant_id=assistant_id) as stream:
            stream.until_done()
        return stream.current_run

    return conduct


def _called(counter: CallCounter, *answers: Answer | Part) -> Callable[[], Any]:
    ask = _streamed(counter, *answers)

    def conduct() -> Any:
        run = ask()
        outputs: Any = [
            {"tool_call_id": call.id, "output": "sunny"}
            for call in run.required_action.submit_tool_outputs.tool_calls
        ]
        with counter.beta.threads.runs.submit_tool_outputs_stream(
            run_id=run.id, thread_id=run.thread_id, tool_outputs=outputs
        ) as rest:
            rest.until_done()
        return run

    return conduct


if __name__ == "__main__":
    main()
