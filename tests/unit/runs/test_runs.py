"""Creating, reading and changing runs: what they take from the assistant, the lock, the limits."""

from typing import Any

import pytest

from assistants.ports.chat_model import ToolCallDelta
from tests.support.api_client import Client
from tests.support.deployment import WEATHER, Deployment, path

CALL = ToolCallDelta(0, id="a", name="weather", arguments="{}")


def queued() -> tuple[Deployment, dict[str, Any]]:
    deployment = Deployment(["Hello"], machine=False)
    return deployment, deployment.run()


def system_of(deployment: Deployment) -> str | None:
    first = deployment.model.requests[-1].messages[0]
    return str(first["content"]) if first["role"] == "system" else None


def test_a_new_run_is_queued_for_ten_minutes_and_shows_every_member() -> None:
    deployment = Deployment(machine=False)
    assistant_id = deployment.assistant(instructions="Be kind.")
    run = deployment.run(deployment.thread(), assistant_id=assistant_id, metadata={"a": "b"})
    now = run["created_at"]
    assert run == {
        "id": run["id"],
        "object": "thread.run",
        "created_at": now,
        "thread_id": run["thread_id"],
        "assistant_id": assistant_id,
        "status": "queued",
        "required_action": None,
        "last_error": None,
        "expires_at": now + 600,
        "started_at": None,
        "cancelled_at": None,
        "failed_at": None,
        "completed_at": None,
        "incomplete_details": None,
        "model": "demo",
        "instructions": "Be kind.",
        "tools": [],
        "metadata": {"a": "b"},
        "usage": None,
        "temperature": 1.0,
        "top_p": 1.0,
        "max_prompt_tokens": None,
        "max_completion_tokens": None,
        "truncation_strategy": {"type": "auto", "last_messages": None},
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "response_format": "auto",
        "reasoning_effort": None,
    }
    assert deployment.executions.started == [deployment.ref(run)]


def test_a_completed_run_has_its_times_and_no_more_expiry() -> None:
    deployment = Deployment(["Hello"], machine=False)
    run = deployment.run()
    deployment.clock.now += 5
    deployment.turn(run)
    run = deployment.again(run)
    assert run["status"] == "completed"
    assert run["started_at"] == run["completed_at"] == run["created_at"] + 5
    assert (run["expires_at"], run["required_action"]) == (None, None)


OVERRIDES: dict[str, Any] = {
    "model": "small",
    "instructions": "Be brief.",
    "tools": [WEATHER],
    "temperature": 0.5,
    "top_p": 0.25,
    "response_format": {"type": "json_object"},
    "reasoning_effort": "high",
}


def test_a_run_takes_from_its_assistant_what_it_does_not_say_itself() -> None:
    deployment = Deployment([], [])
    assistant_id = deployment.assistant(**OVERRIDES)
    run = deployment.run(assistant_id=assistant_id, **dict.fromkeys(OVERRIDES))
    assert {name: run[name] for name in OVERRIDES} == OVERRIDES


def test_a_run_replaces_what_it_says_itself() -> None:
    deployment = Deployment([])
    run = deployment.run(assistant_id=deployment.assistant(instructions="Be kind."), **OVERRIDES)
    assert {name: run[name] for name in OVERRIDES} == OVERRIDES


def test_the_options_of_a_run_reach_the_model() -> None:
    deployment = Deployment([])
    deployment.run(
        **OVERRIDES,
        max_completion_tokens=300,
        tool_choice="required",
        parallel_tool_calls=False,
    )
    [request] = deployment.model.requests
    assert request.model == "small"
    assert request.tools == [WEATHER]
    assert request.options == {
        "temperature": 0.5,
        "top_p": 0.25,
        "response_format": {"type": "json_object"},
        "reasoning_effort": "high",
        "max_completion_tokens": 300,
        "tool_choice": "required",
        "parallel_tool_calls": False,
    }


def test_a_named_function_is_demanded_of_the_model() -> None:
    deployment = Deployment([])
    choice = {"type": "function", "function": {"name": "weather"}}
    run = deployment.run(tool_choice=choice)
    assert run["tool_choice"] == choice
    assert deployment.model.requests[0].options["tool_choice"] == choice


@pytest.mark.parametrize(
    "choice",
    [
        {"type": "function"},
        {"type": "function", "function": None},
        {"type": "function", "function": {"name": "other"}},
        {"type": "function", "function": {"name": "file_search"}},
        {"type": "file_search"},
        {"type": "code_interpreter"},
    ],
)
def test_a_choice_of_a_tool_that_the_run_does_not_have_is_refused(choice: dict[str, Any]) -> None:
    deployment = Deployment([])
    body = {"assistant_id": deployment.assistant(tools=[WEATHER]), "tool_choice": choice}
    url = f"/threads/{deployment.thread()}/runs"
    answer = deployment.api.request("POST", url, body)
    assert answer.status == 400
    assert str(answer.error["param"]).startswith("tool_choice")
    assert deployment.api.get(url)["data"] == []


def test_a_tool_cannot_be_required_of_a_run_without_tools() -> None:
    deployment = Deployment([])
    body = {"assistant_id": deployment.assistant(), "tool_choice": "required"}
    answer = deployment.api.request("POST", f"/threads/{deployment.thread()}/runs", body)
    assert (answer.status, answer.error["param"]) == (400, "tool_choice")


def test_a_json_schema_is_passed_on_as_it_was_given() -> None:
    deployment = Deployment([])
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
    run = deployment.run(model="small", response_format=wanted)
    assert run["response_format"] == wanted
    assert deployment.model.requests[0].options["response_format"] == wanted


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, "Be kind."),
        ({"instructions": "Be brief."}, "Be brief."),
        ({"instructions": ""}, ""),
        ({"additional_instructions": "And brief."}, "Be kind.\n\nAnd brief."),
        (
            {"instructions": "Be rude.", "additional_instructions": "And brief."},
            "Be rude.\n\nAnd brief.",
        ),
        ({"instructions": "", "additional_instructions": "Brief."}, "Brief."),
    ],
)
def test_instructions_are_replaced_and_added_to(members: dict[str, str], expected: str) -> None:
    deployment = Deployment([])
    assistant_id = deployment.assistant(instructions="Be kind.")
    run = deployment.run(assistant_id=assistant_id, **members)
    assert run["instructions"] == expected
    assert (system_of(deployment) or "") == expected


def test_additional_messages_are_in_the_thread_before_the_model_is_asked() -> None:
    deployment = Deployment(["Hello"])
    thread_id = deployment.thread("First")
    additional = [
        {"role": "user", "content": "Second"},
        {"role": "assistant", "content": "Third", "metadata": {"a": "b"}},
    ]
    deployment.run(thread_id, additional_messages=additional)
    contents = [message["content"] for message in deployment.model.requests[0].messages]
    assert contents == ["First", "Second", "Third"]
    listed = deployment.api.get(f"/threads/{thread_id}/messages?order=asc")["data"]
    texts = [message["content"][0]["text"]["value"] for message in listed]
    assert texts == ["First", "Second", "Third", "Hello"]
    assert [message["run_id"] is None for message in listed] == [True, True, True, False]
    assert listed[2]["metadata"] == {"a": "b"}


def test_more_additional_messages_than_one_write_takes_are_refused() -> None:
    deployment = Deployment(["Hello"])
    thread_id = deployment.thread()
    url = f"/threads/{thread_id}/runs"
    messages = [{"role": "user", "content": str(number)} for number in range(91)]
    body = {"assistant_id": deployment.assistant(), "additional_messages": messages}
    answer = deployment.api.request("POST", url, body)
    assert (answer.status, answer.error["code"]) == (400, "array_above_max_length")
    assert deployment.api.get(url)["data"] == []
    body["additional_messages"] = messages[:90]
    deployment.api.post(url, body)
    assert len(deployment.model.requests[0].messages) == 90


def test_a_second_run_on_a_thread_is_refused_and_leaves_nothing() -> None:
    deployment, run = queued()
    thread_id = run["thread_id"]
    url = f"/threads/{thread_id}/runs"
    body = {
        "assistant_id": run["assistant_id"],
        "additional_messages": [{"role": "user", "content": "Also"}],
    }
    before = dict(deployment.table.rows)
    message = deployment.api.refused("POST", url, body)
    assert message == f"Thread {thread_id} already has an active run {run['id']}."
    assert deployment.table.rows == before
    assert deployment.executions.started == [deployment.ref(run)]


def test_a_thread_takes_no_messages_and_is_not_deleted_while_a_run_is_active() -> None:
    deployment, run = queued()
    thread_id = run["thread_id"]
    message = deployment.api.refused(
        "POST", f"/threads/{thread_id}/messages", {"role": "user", "content": "Wait!"}
    )
    assert message == f"Can't add messages to {thread_id} while a run {run['id']} is active."
    deployment.api.refused("DELETE", f"/threads/{thread_id}")
    deployment.turn(run)
    assert deployment.is_free(thread_id)
    assert deployment.api.delete(f"/threads/{thread_id}")["deleted"]


def test_runs_on_different_threads_do_not_wait_for_each_other() -> None:
    deployment = Deployment(machine=False)
    assert deployment.run()["status"] == deployment.run()["status"] == "queued"


def test_a_thread_takes_one_run_after_another() -> None:
    deployment = Deployment(["One"], ["Two"])
    first = deployment.run()
    second = deployment.run(first["thread_id"])
    assert deployment.api.get(f"/threads/{first['thread_id']}/runs")["data"] == [second, first]
    assert [message["content"] for message in deployment.model.requests[1].messages] == [
        "Hello",
        "One",
    ]


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"assistant_id": "asst_none"}, 404, "No assistant found with id 'asst_none'."),
        (
            {"assistant_id": "thread_x"},
            400,
            "Invalid 'assistant_id': 'thread_x'. Expected an ID that begins with 'asst'.",
        ),
        ({}, 400, "Missing required parameter: 'assistant_id'."),
    ],
)
def test_a_run_needs_an_assistant_that_exists(
    body: dict[str, str], status: int, message: str
) -> None:
    deployment = Deployment()
    for url in (f"/threads/{deployment.thread()}/runs", "/threads/runs"):
        before = dict(deployment.table.rows)
        answer = deployment.api.request("POST", url, body)
        assert (answer.status, answer.error["message"]) == (status, message)
        assert deployment.table.rows == before


def test_a_run_needs_a_thread_that_exists() -> None:
    deployment = Deployment()
    body = {"assistant_id": deployment.assistant()}
    answer = deployment.api.request("POST", "/threads/thread_none/runs", body)
    assert (answer.status, answer.error["message"]) == (
        404,
        "No thread found with id 'thread_none'.",
    )


def test_a_run_needs_a_model_that_is_mapped() -> None:
    deployment = Deployment()
    thread_id = deployment.thread()
    body = {"assistant_id": deployment.assistant(), "model": "gpt-9"}
    answer = deployment.api.request("POST", f"/threads/{thread_id}/runs", body)
    assert answer.status == 400
    assert (answer.error["param"], answer.error["code"]) == ("model", "unsupported_model")
    assert answer.error["message"].startswith(
        "The requested model 'gpt-9' cannot be used with the Assistants API."
    )
    assert deployment.is_free(thread_id)


def test_a_thread_and_its_run_are_made_together() -> None:
    deployment = Deployment(["Hi"])
    thread = {
        "messages": [{"role": "user", "content": str(number)} for number in range(200)],
        "metadata": {"topic": "numbers"},
    }
    body = {"assistant_id": deployment.assistant(), "thread": thread, "metadata": {"a": "b"}}
    run = deployment.api.post("/threads/runs", body)
    assert run["metadata"] == {"a": "b"}
    made = deployment.api.get(f"/threads/{run['thread_id']}")
    assert made["metadata"] == {"topic": "numbers"}
    contents = [message["content"] for message in deployment.model.requests[0].messages]
    assert contents == [str(number) for number in range(200)]


def test_a_run_alone_makes_an_empty_thread() -> None:
    deployment = Deployment(["Hi"])
    run = deployment.api.post("/threads/runs", {"assistant_id": deployment.assistant()})
    assert deployment.api.get(f"/threads/{run['thread_id']}")["metadata"] == {}


def test_a_thread_with_its_run_has_no_additional_members() -> None:
    deployment = Deployment()
    body = {"assistant_id": deployment.assistant(), "additional_instructions": "Be brief."}
    answer = deployment.api.request("POST", "/threads/runs", body)
    assert answer.error["message"] == "Unknown parameter: 'additional_instructions'."


def test_the_last_messages_are_all_that_a_truncated_run_reads() -> None:
    deployment = Deployment([])
    strategy = {"type": "last_messages", "last_messages": 2}
    run = deployment.run(deployment.thread("One", "Two", "Three"), truncation_strategy=strategy)
    assert run["truncation_strategy"] == strategy
    contents = [message["content"] for message in deployment.model.requests[0].messages]
    assert contents == ["Two", "Three"]


def test_the_last_messages_must_be_counted() -> None:
    deployment = Deployment([])
    body = {
        "assistant_id": deployment.assistant(),
        "truncation_strategy": {"type": "last_messages"},
    }
    answer = deployment.api.request("POST", f"/threads/{deployment.thread()}/runs", body)
    assert answer.status == 400
    assert answer.error["param"] == "truncation_strategy.last_messages"


def test_metadata_is_all_that_can_be_changed() -> None:
    deployment, run = queued()
    changed = deployment.api.post(path(run), {"metadata": {"a": "b"}})
    assert changed == {**run, "metadata": {"a": "b"}}
    assert deployment.api.post(path(run), {"metadata": None}) == changed
    assert deployment.api.post(path(run), {}) == changed
    answer = deployment.api.request("POST", path(run), {"instructions": "x"})
    assert answer.error["message"] == "Unknown parameter: 'instructions'."
    deployment.turn(run)
    ended = deployment.api.post(path(run), {"metadata": {"c": "d"}})
    assert (ended["status"], ended["metadata"]) == ("completed", {"c": "d"})


def test_runs_and_steps_survive_the_assistant_that_made_them() -> None:
    deployment = Deployment(["Hello"])
    run = deployment.run()
    deployment.api.delete(f"/assistants/{run['assistant_id']}")
    assert deployment.again(run) == run
    assert len(deployment.steps(run)) == 1
    answer = deployment.api.request(
        "POST", f"/threads/{run['thread_id']}/runs", {"assistant_id": run["assistant_id"]}
    )
    assert answer.status == 404


def test_a_run_goes_on_although_its_assistant_is_deleted() -> None:
    deployment, run = queued()
    deployment.api.delete(f"/assistants/{run['assistant_id']}")
    deployment.turn(run)
    assert deployment.again(run)["status"] == "completed"


@pytest.mark.parametrize(
    ("suffix", "message"),
    [
        ("/runs/run_none", "No run found with id 'run_none'."),
        ("/runs/run_none/steps", "No run found with id 'run_none'."),
        ("/runs/run_none/events", "No run found with id 'run_none'."),
        ("/runs/{run}/steps/step_none", "No run step found with id 'step_none'."),
    ],
)
def test_what_does_not_exist_is_not_found(suffix: str, message: str) -> None:
    deployment, run = queued()
    url = f"/threads/{run['thread_id']}" + suffix.format(run=run["id"])
    answer = deployment.api.request("GET", url)
    assert (answer.status, answer.error["message"]) == (404, message)


def test_a_run_is_found_only_in_its_own_thread() -> None:
    deployment, run = queued()
    other = deployment.thread()
    answer = deployment.api.request("GET", f"/threads/{other}/runs/{run['id']}")
    assert (answer.status, answer.error["message"]) == (
        404,
        f"No run found with id '{run['id']}'.",
    )


def test_nothing_of_a_run_can_be_reached_with_the_key_of_another() -> None:
    deployment = Deployment([CALL], ["Hello"])
    run = deployment.run()
    stranger = Client(deployment.app, key="sk-stranger")
    step_id = deployment.steps(run)[0]["id"]
    for method, url in (
        ("GET", path(run)),
        ("POST", path(run)),
        ("POST", f"{path(run)}/cancel"),
        ("GET", f"{path(run)}/events"),
        ("GET", f"{path(run)}/steps"),
        ("GET", f"{path(run)}/steps/{step_id}"),
        ("GET", f"/threads/{run['thread_id']}/runs"),
        ("GET", f"/threads/{run['thread_id']}/messages"),
        ("DELETE", f"/threads/{run['thread_id']}"),
        ("GET", f"/assistants/{run['assistant_id']}"),
    ):
        answer = stranger.request(method, url)
        assert answer.status == 404, url
        kind = "assistant" if url.startswith("/assistants") else "thread"
        assert answer.error["message"].startswith(f"No {kind} found with id ")
    body = {"tool_outputs": [{"tool_call_id": "call_a", "output": "x"}]}
    assert stranger.request("POST", f"{path(run)}/submit_tool_outputs", body).status == 404
    assert deployment.again(run) == run


def test_the_same_creation_sent_twice_makes_one_run() -> None:
    deployment = Deployment(machine=False)
    thread_id, assistant_id = deployment.thread(), deployment.assistant()
    body = {"assistant_id": assistant_id, "additional_messages": [{"role": "user", "content": "a"}]}
    url, key = f"/threads/{thread_id}/runs", {"idempotency-key": "once"}
    first = deployment.api.request("POST", url, body, headers=key)
    again = deployment.api.request("POST", url, body, headers=key)
    assert first.status == again.status == 200
    assert first.json == again.json
    assert len(deployment.api.get(url)["data"]) == 1
    assert len(deployment.api.get(f"/threads/{thread_id}/messages")["data"]) == 1
    other = deployment.api.request("POST", url, {"assistant_id": assistant_id}, headers=key)
    assert (other.status, other.error["code"]) == (400, "idempotency_key_reused")
    deployment.clock.now += 25 * 3600
    assert deployment.api.request("POST", url, body, headers=key).json["id"] != first.json["id"]
