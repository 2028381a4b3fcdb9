"""The time of a run that executes code on the local stack, and its session's cost on AWS."""

import statistics
import time
from typing import Any

from openai import OpenAI

from infra.app import context_defaults
from infra.local import LocalStack
from tests.support.bills import PRICES, Bill, Biller
from tests.support.model_server import Call, Calls, ModelServer, Text

RUNS = 10
HOURS_A_MONTH = 730
ENDPOINTS = 3  # of the variant `isolated`
IDLE_HOURS = 1 / 3  # until a session that nobody uses ends itself
TOOLS: Any = [{"type": "code_interpreter"}]


def code_runs() -> dict[str, Any]:
    """Time the first run of a thread, which launches its session, and the runs after it."""
    with ModelServer() as models, _stack(models) as stack:
        conversation = Conversation(stack, models)
        conversation.run()  # starts the functions' workers
        conversation.begin()
        first = conversation.timed()
        later = [conversation.timed() for _ in range(RUNS)]
        bill = Biller(stack).bill(conversation.start)
    return {
        "first_ms": round(first * 1000),
        "later_p50_ms": round(statistics.median(later) * 1000),
        "later": _described(bill),
    }


def session_dollars() -> dict[str, float]:
    """Price a session of the size in cdk.json by list prices."""
    context, fargate, vpc = context_defaults(), PRICES["fargate"], PRICES["vpc"]
    isolated = context["sandbox_cpu"] / 1024 * fargate["arm_vcpu_hour"]
    isolated += context["sandbox_memory"] / 1024 * fargate["arm_gb_hour"]
    public = isolated + vpc["public_address_hour"]
    return {
        "public: an hour": round(public, 4),
        "public: one execution, then idle": round(public * IDLE_HOURS, 4),
        "isolated: an hour": round(isolated, 4),
        "isolated: a month without sessions": ENDPOINTS * vpc["endpoint_hour"] * HOURS_A_MONTH,
        "one session kept warm for a month": round(public * HOURS_A_MONTH, 2),
    }


class Conversation:
    """Runs on one thread after another; the model of each calls the code interpreter once."""

    def __init__(self, stack: LocalStack, models: ModelServer) -> None:
        self._beta = OpenAI(base_url=stack.base_url, api_key="sk-code", max_retries=0).beta
        self._models = models
        self.begin()

    def begin(self) -> None:
        """Go on with a new thread."""
        self._thread = self._beta.threads.create().id

    def start(self) -> Any:
        """Start a run."""
        calls = Calls(Call("code_interpreter", {"code": "print(1 + 1)"}))
        model = self._models.script(calls, Text("Two."))
        assistant = self._beta.assistants.create(model=model.name, tools=TOOLS)
        return self._beta.threads.runs.create(self._thread, assistant_id=assistant.id)

    def run(self) -> None:
        """Start a run, and wait until it has completed."""
        run = self._beta.threads.runs.poll(
            self.start().id, thread_id=self._thread, poll_interval_ms=10
        )
        assert run.status == "completed", run.last_error

    def timed(self) -> float:
        """Return the seconds that a run takes."""
        started = time.perf_counter()
        self.run()
        return time.perf_counter() - started


def _stack(models: ModelServer) -> LocalStack:
    return LocalStack({"ModelUrl": models.url, "Models": '{"demo": {"provider": "demo"}}'})


def _described(bill: Bill) -> dict[str, float]:
    return {
        "write_units": bill.written,
        "read_units": bill.read,
        "aws_calls": bill.calls,
        "transitions": bill.transitions,
        "dollars_per_1000": bill.dollars["all"],
    }
