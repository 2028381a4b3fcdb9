"""The prompt: which messages of a thread it holds, in which order, and at what cost."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants.domain.model import Catalog
from assistants.domain.run import Usage
from assistants.domain.token_budget import MESSAGE_OVERHEAD, TokenBudget
from assistants.ports.chat_model import FinishDelta, RefusalDelta, ToolCallDelta
from tests.support.deployment import WEATHER, Deployment
from tests.support.stream_reader import RUN_BEGINS, order

CALL = ToolCallDelta(0, id="a", name="weather", arguments="{}")


def prompt(deployment: Deployment, number: int = -1) -> list[Any]:
    """Return the contents of the messages of one request to the model."""
    return [message["content"] for message in deployment.model.requests[number].messages]


def test_instructions_come_first_and_then_the_thread() -> None:
    deployment = Deployment([])
    deployment.run(deployment.thread("One", "Two"), instructions="Be kind.")
    assert deployment.model.requests[0].messages == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "One"},
        {"role": "user", "content": "Two"},
    ]


def test_earlier_messages_and_refusals_are_in_the_prompt() -> None:
    deployment = Deployment(["Well, ", RefusalDelta("no.")], [])
    run = deployment.run()
    deployment.run(run["thread_id"])
    assert prompt(deployment) == ["Hello", "Well, \nno."]


def test_functions_of_earlier_runs_are_not_in_the_prompt() -> None:
    deployment = Deployment([CALL], ["Sunny."], ["You are welcome."])
    run = deployment.run()
    deployment.submit(run)
    url = f"/threads/{run['thread_id']}/messages"
    deployment.api.post(url, {"role": "user", "content": "Thanks"})
    deployment.run(run["thread_id"])
    assert prompt(deployment) == ["Hello", "Sunny.", "Thanks"]


def test_messages_are_in_order_over_many_pages() -> None:
    deployment = Deployment([])
    texts = [str(number) for number in range(350)]
    deployment.run(deployment.thread(*texts))
    assert prompt(deployment) == texts


def test_what_does_not_fit_the_models_context_is_left_out_from_the_oldest_on() -> None:
    deployment = Deployment([])
    texts = [f"{number} " + "word " * 100 for number in range(50)]
    run = deployment.run(deployment.thread(*texts), model="small")
    assert run["status"] == "completed"
    kept = prompt(deployment)
    assert kept == texts[-len(kept) :]
    assert 5 <= len(kept) <= 7  # of a context of 1,024 tokens a quarter is kept for the answer


def test_the_newest_message_is_in_the_prompt_even_when_it_does_not_fit() -> None:
    deployment = Deployment([])
    long = "word " * 5_000
    deployment.run(deployment.thread("First", long), model="small")
    assert prompt(deployment) == [long]


def test_calls_are_never_cut_from_their_answers() -> None:
    deployment = Deployment([CALL], ["Sunny."])
    run = deployment.run(deployment.thread("First", "word " * 500), model="small")
    deployment.submit(run, "sunny " * 700)
    roles = [message["role"] for message in deployment.model.requests[1].messages]
    assert roles == ["user", "assistant", "tool"]


def test_a_prompt_budget_is_spent_on_the_newest_messages() -> None:
    deployment = Deployment([])
    texts = [f"{number} " + "word " * 100 for number in range(10)]
    run = deployment.run(deployment.thread(*texts), max_prompt_tokens=350, tools=[])
    assert run["status"] == "completed"
    assert prompt(deployment) == texts[-3:]


def test_a_prompt_budget_that_the_newest_message_exceeds_ends_the_run() -> None:
    deployment = Deployment(["Never said"])
    run = deployment.run(deployment.thread("word " * 500), max_prompt_tokens=256)
    assert run["status"] == "incomplete"
    assert run["incomplete_details"] == {"reason": "max_prompt_tokens"}
    assert deployment.model.requests == []
    assert order(deployment.events(run)) == f"{RUN_BEGINS} run.incomplete"
    assert deployment.is_free(run["thread_id"])


def test_budgets_count_over_all_turns_of_a_run() -> None:
    used = Usage(prompt_tokens=250, completion_tokens=100, total_tokens=350)
    deployment = Deployment([CALL, FinishDelta("tool_calls", used)], ["Never said"])
    run = deployment.run(max_prompt_tokens=256)
    deployment.submit(run)
    run = deployment.again(run)
    assert run["status"] == "incomplete"
    assert run["incomplete_details"] == {"reason": "max_prompt_tokens"}
    assert run["usage"]["prompt_tokens"] == 250
    assert len(deployment.model.requests) == 1


def test_what_is_left_of_a_completion_budget_is_all_that_is_asked_for() -> None:
    used = Usage(completion_tokens=100)
    deployment = Deployment([CALL, FinishDelta("tool_calls", used)], ["Sunny."])
    deployment.submit(deployment.run(max_completion_tokens=300))
    limits = [request.options["max_completion_tokens"] for request in deployment.model.requests]
    assert limits == [300, 200]


@pytest.mark.parametrize("spent", [300, 301])
def test_a_completion_budget_that_is_used_up_ends_the_run(spent: int) -> None:
    used = FinishDelta("tool_calls", Usage(completion_tokens=spent))
    deployment = Deployment([CALL, used], ["Never said"])
    run = deployment.run(max_completion_tokens=300)
    deployment.submit(run)
    run = deployment.again(run)
    assert run["incomplete_details"] == {"reason": "max_completion_tokens"}
    assert len(deployment.model.requests) == 1


def test_large_tools_count_too() -> None:
    parameters: dict[str, Any] = {"properties": {f"member_{n}": {} for n in range(300)}}
    tool = {"type": "function", "function": {"name": "f", "parameters": parameters}}
    deployment = Deployment([])
    run = deployment.run(tools=[tool], max_prompt_tokens=256)
    assert run["incomplete_details"] == {"reason": "max_prompt_tokens"}
    deployment.run(tools=[WEATHER], max_prompt_tokens=256)
    assert prompt(deployment) == ["Hello"]


def test_a_model_that_is_no_longer_mapped_fails_the_run() -> None:
    deployment = Deployment([], machine=False)
    run = deployment.run()
    empty = Catalog({}, endpoint_configured=False)
    object.__setattr__(deployment.backend.turns.service.prompts, "catalog", empty)
    deployment.turn(run)
    run = deployment.again(run)
    assert run["status"] == "failed"
    assert "cannot be used" in run["last_error"]["message"]


@given(
    st.lists(st.text(alphabet="ab é🙂", max_size=12), max_size=12),
    st.integers(0, 120),
)
def test_a_budget_takes_just_what_really_fits(texts: list[str], tokens: int) -> None:
    """Whether a text was counted, or taken for its bytes, makes no difference to what fits."""

    def count(text: str) -> int:
        return (len(text.encode()) + 1) // 2

    budget, left = TokenBudget(tokens, count), tokens
    for text in texts:
        cost = MESSAGE_OVERHEAD + count(text)
        assert budget.take({"content": text}) == (cost <= left)
        left = left - cost if cost <= left else 0


def test_a_budget_counts_only_when_it_may_be_close() -> None:
    counted: list[str] = []

    def count(text: str) -> int:
        counted.append(text)
        return 1

    budget = TokenBudget(1_000, count)
    assert all(budget.take({"content": "x" * 90}) for _ in range(10))
    assert counted == []
    assert budget.take({"content": "x" * 90})
    assert counted == ["x" * 90] * 10


@pytest.mark.parametrize(
    ("choice", "then"),
    [
        ("none", "none"),
        ("auto", "auto"),
        ("required", "auto"),
        ({"type": "function", "function": {"name": "weather"}}, "auto"),
    ],
)
def test_a_tool_that_must_be_called_must_be_called_once(choice: Any, then: str) -> None:
    deployment = Deployment([CALL], ["Sunny."])
    deployment.submit(deployment.run(tool_choice=choice))
    first, second = deployment.model.requests
    assert (first.options["tool_choice"], second.options["tool_choice"]) == (choice, then)
