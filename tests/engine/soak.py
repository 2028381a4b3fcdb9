"""`make soak`: runs of all kinds, twenty at a time, each of them audited in the end."""

import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from typing import Any

from infra.local import LocalStack
from tests.engine.audit import WORDS, audit
from tests.engine.contract import ENDED
from tests.engine.retrying_client import RetryingClient
from tests.support.deployment import WEATHER, path
from tests.support.model_server import Answer, Break, Calls, ModelServer, Part, Pause, Text, Turn

AT_ONCE = 20
RUNS = 1000
HELLO = {"role": "user", "content": "Hello"}
PATIENCE_SECONDS = 120
Run = dict[str, Any]
_numbers = count(1)


def speaks(_: Any) -> Answer:
    """Say three words, as fast as some models do."""
    first = next(_numbers) * WORDS
    parts: list[Part] = []
    for number in range(first, first + WORDS):
        parts += [Text(f"<{number}>"), Pause(0.05)]
    return Turn(*parts)


def calls(body: dict[str, Any]) -> Answer:
    answered = body["messages"][-1]["role"] == "tool"
    return speaks(body) if answered else Turn(Calls(weather={"city": "Paris"}))


def breaks(_: Any) -> Answer:
    return Turn(Text(f"<{next(_numbers) * WORDS}>"), Pause(0.1), Break())


@dataclass
class Conversation:
    """A client, a thread and three assistants; each kind of conversation ends with a run."""

    client: RetryingClient
    thread_id: str
    speaker: str
    caller: str
    breaker: str

    @property
    def runs(self) -> str:
        return f"threads/{self.thread_id}/runs"

    def create(self, assistant_id: str) -> Run:
        run: Run = self.client.post(self.runs, {"assistant_id": assistant_id})
        return run

    def until(self, run: Run, *statuses: str) -> Run:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (run := self.client.get(path(run)))["status"] not in statuses:
            assert time.monotonic() < deadline, f"stuck: {run}"
            time.sleep(0.1)
        return run

    def asked(self) -> Run:
        """Create a run that waits for outputs."""
        return self.until(self.create(self.caller), "requires_action", *ENDED)

    def submit(self, run: Run, output: str = "sunny") -> Any:
        asked = run["required_action"]["submit_tool_outputs"]["tool_calls"]
        outputs = [{"tool_call_id": call["id"], "output": output} for call in asked]
        return self.client.post(f"{path(run)}/submit_tool_outputs", {"tool_outputs": outputs})

    def cancel(self, run: Run) -> Any:
        return self.client.post(f"{path(run)}/cancel")


def polled(talk: Conversation) -> set[str]:
    talk.create(talk.speaker)
    return {"completed"}


def streamed(talk: Conversation) -> set[str]:
    talk.client.stream(talk.runs, {"assistant_id": talk.speaker})
    return {"completed"}


def dropped(talk: Conversation) -> set[str]:
    """Leave in the middle of the stream."""
    body = {"assistant_id": talk.speaker, "stream": True}
    frames = random.randrange(1, 20)
    with talk.client.http.stream("POST", talk.runs, json=body) as answer:
        for _, line in zip(range(frames), answer.iter_lines(), strict=False):
            assert line is not None
    return {"completed"}


def function(talk: Conversation) -> set[str]:
    talk.submit(talk.asked())
    return {"completed"}


def answered_twice(talk: Conversation) -> set[str]:
    """Answer by two clients at once, who disagree."""
    run = talk.asked()
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda output: talk.submit(run, output), ("sunny", "rainy")))
    assert sorted("error" in answer for answer in answers) == [False, True], answers
    return {"completed"}


def cancelled_wait(talk: Conversation) -> set[str]:
    talk.cancel(talk.asked())
    return {"cancelled"}


def cancelled_at_random(talk: Conversation) -> set[str]:
    run = talk.create(talk.speaker)
    time.sleep(random.uniform(0, 0.6))
    return {"completed"} if "error" in talk.cancel(run) else {"cancelled"}


def answered_and_cancelled(talk: Conversation) -> set[str]:
    """Answer and cancel at the same moment."""
    run = talk.asked()
    with ThreadPoolExecutor(2) as pool:
        pool.submit(talk.submit, run)
        cancelled = pool.submit(talk.cancel, run).result()
    return {"completed"} if "error" in cancelled else {"cancelled"}


def broken(talk: Conversation) -> set[str]:
    talk.create(talk.breaker)
    return {"failed"}


def crowded(talk: Conversation) -> set[str]:
    """Let others ask for the thread during the run."""
    talk.asked()
    assert "active run" in talk.create(talk.speaker)["error"]["message"]
    assert "error" in talk.client.post(f"threads/{talk.thread_id}/messages", HELLO)
    assert "error" in talk.client.delete(f"threads/{talk.thread_id}")
    [run] = talk.client.get(talk.runs)["data"]
    talk.submit(run)
    return {"completed"}


KINDS: list[Callable[[Conversation], set[str]]] = [
    *(polled, streamed, dropped, function, answered_twice, cancelled_wait),
    *(cancelled_at_random, answered_and_cancelled, broken, crowded),
]


def soak(stack: LocalStack, models: ModelServer, runs: int) -> dict[str, Counter[str]]:
    """Return how the runs of each kind ended. Raise AssertionError when an audit fails."""
    ended: dict[str, Counter[str]] = defaultdict(Counter)
    with RetryingClient.of(stack.base_url) as client, ThreadPoolExecutor(AT_ONCE) as pool:
        assistants = [_assistant(client, models, model) for model in (speaks, calls, breaks)]
        kinds = [KINDS[number % len(KINDS)] for number in range(runs)]
        random.shuffle(kinds)
        for kind, status in pool.map(lambda kind: _hold(client, assistants, kind), kinds):
            ended[kind][status] += 1
    return dict(sorted(ended.items()))


def _assistant(client: RetryingClient, models: ModelServer, model: Callable[[Any], Answer]) -> str:
    body = {"model": models.model(model).name, "tools": [WEATHER]}
    return str(client.post("assistants", body)["id"])


def _hold(
    client: RetryingClient, assistants: list[str], kind: Callable[[Conversation], set[str]]
) -> tuple[str, str]:
    thread = client.post("threads", {"messages": [HELLO]})
    talk = Conversation(client, thread["id"], *assistants)
    expected = kind(talk)
    [run] = client.get(talk.runs)["data"]
    status = audit(client, talk.until(run, *ENDED))
    assert status in expected, f"{kind.__name__}: {status}, not {expected}"
    assert client.delete(f"threads/{talk.thread_id}")["deleted"], "locked"
    return kind.__name__, status


def main() -> None:
    """Soak a stack of its own."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    started = time.monotonic()
    with ModelServer() as models:
        parameters = {"ModelUrl": models.url, "Auth": "open"}
        with LocalStack(parameters=parameters) as stack:
            ended = soak(stack, models, runs)
    for kind, statuses in ended.items():
        print(f"{kind:24}{', '.join(f'{n} {status}' for status, n in statuses.items())}")
    print(f"{runs} runs, {AT_ONCE} at a time, in {time.monotonic() - started:.0f} s; all audited")


if __name__ == "__main__":
    main()
