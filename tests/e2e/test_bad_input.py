"""Input that is refused: status, exact envelope, and no object left over."""

from typing import Any, NamedTuple

import httpx2
import pytest
from openai import OpenAI
from openai.types.beta import Thread

from tests.e2e.envelope import error
from tests.e2e.fixture_types import MakeAssistant


class Refused(NamedTuple):
    """A request, and how it is refused."""

    method: str
    path: str
    body: Any
    status: int
    error: dict[str, str | None]


def missing(what: str, identifier: str) -> dict[str, str | None]:
    return error(f"No {what} found with id '{identifier}'.")


UNKNOWN_IDS = [
    Refused("GET", "assistants/asst_x", None, 404, missing("assistant", "asst_x")),
    Refused("POST", "assistants/asst_x", {"name": "N"}, 404, missing("assistant", "asst_x")),
    Refused("DELETE", "assistants/asst_x", None, 404, missing("assistant", "asst_x")),
    Refused("GET", "threads/thread_x", None, 404, missing("thread", "thread_x")),
    Refused("DELETE", "threads/thread_x", None, 404, missing("thread", "thread_x")),
    Refused("GET", "threads/thread_x/messages", None, 404, missing("thread", "thread_x")),
    Refused(
        "POST",
        "threads/thread_x/messages",
        {"role": "user", "content": "Hello"},
        404,
        missing("thread", "thread_x"),
    ),
    Refused("GET", "threads/thread_x/runs/run_x", None, 404, missing("thread", "thread_x")),
]
WRONG_BODIES = [
    Refused(
        "POST",
        "assistants",
        {},
        400,
        error("Missing required parameter: 'model'.", "model", "missing_required_parameter"),
    ),
    Refused(
        "POST",
        "assistants",
        {"model": "demo", "flavour": "mint"},
        400,
        error("Unknown parameter: 'flavour'.", "flavour", "unknown_parameter"),
    ),
    Refused(
        "POST",
        "assistants",
        {"model": "demo", "name": 7},
        400,
        error(
            "Invalid type for 'name': expected a string, but got an integer instead.",
            "name",
            "invalid_type",
        ),
    ),
    Refused(
        "POST",
        "assistants",
        {"model": "demo", "name": "N" * 257},
        400,
        error(
            "Invalid 'name': string too long. Expected a string with maximum length 256, "
            "but got a string with length 257 instead.",
            "name",
            "string_above_max_length",
        ),
    ),
    Refused(
        "POST",
        "threads",
        {"messages": [{"role": "user"}]},
        400,
        error(
            "Missing required parameter: 'messages[0].content'.",
            "messages[0].content",
            "missing_required_parameter",
        ),
    ),
    Refused(
        "GET",
        "threads/new",
        None,
        400,
        error(
            "Invalid 'thread_id': 'new'. Expected an ID that begins with 'thread'.",
            "thread_id",
            "invalid_value",
        ),
    ),
]
WRONG_ROUTES = [
    Refused("GET", "nonsense", None, 404, error("Invalid URL (GET /v1/nonsense)")),
    Refused(
        "GET",
        "threads/thread_x/nonsense",
        None,
        404,
        error("Invalid URL (GET /v1/threads/thread_x/nonsense)"),
    ),
]


@pytest.mark.parametrize(
    "case",
    [*UNKNOWN_IDS, *WRONG_BODIES, *WRONG_ROUTES],
    ids=lambda case: f"{case.method} {case.path} {case.error['code'] or case.status}",
)
def test_the_refusal_is_the_documented_one(raw: httpx2.Client, case: Refused) -> None:
    answer = raw.request(case.method, case.path, json=case.body)
    assert (answer.status_code, answer.json()) == (case.status, {"error": case.error})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize("content", [b"{", b"[1, 2]", b'"text"', b"\xff\xfe", b"NaN"])
def test_a_body_that_is_no_json_object_is_refused(raw: httpx2.Client, content: bytes) -> None:
    answer = raw.post("threads", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    refusal = answer.json()["error"]
    assert set(refusal) == {"message", "type", "param", "code"}
    assert refusal["type"] == "invalid_request_error"
    assert "JSON" in refusal["message"] or "object" in refusal["message"]


def test_an_empty_body_is_an_empty_object(client: OpenAI, raw: httpx2.Client) -> None:
    answer = raw.post("threads", headers={"Content-Type": "application/json"})
    assert answer.status_code == 200
    client.beta.threads.delete(answer.json()["id"])


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "assistants"), ("PATCH", "threads/thread_x"), ("DELETE", "models")]
)
def test_a_wrong_method_answers_405(raw: httpx2.Client, method: str, path: str) -> None:
    answer = raw.request(method, path)
    assert answer.status_code == 405
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_the_beta_header_is_demanded(base_url: str, api_key: str) -> None:
    answer = httpx2.get(f"{base_url}/assistants", headers={"Authorization": f"Bearer {api_key}"})
    assert (answer.status_code, answer.json()) == (
        400,
        {
            "error": error(
                "You must provide the 'OpenAI-Beta' header to access the Assistants API. "
                "Please try again by setting the header 'OpenAI-Beta: assistants=v2'.",
                code="invalid_beta",
            )
        },
    )


def test_an_unknown_run_message_or_step_of_a_known_thread_is_named(
    raw: httpx2.Client, thread: Thread
) -> None:
    path = f"threads/{thread.id}"
    outputs: dict[str, Any] = {"tool_outputs": []}
    for answer, refusal in (
        (raw.get(f"{path}/messages/msg_x"), missing("message", "msg_x")),
        (raw.get(f"{path}/runs/run_x"), missing("run", "run_x")),
        (raw.post(f"{path}/runs/run_x/cancel"), missing("run", "run_x")),
        (raw.post(f"{path}/runs/run_x/submit_tool_outputs", json=outputs), missing("run", "run_x")),
        (raw.get(f"{path}/runs/run_x/steps"), missing("run", "run_x")),
    ):
        assert (answer.status_code, answer.json()) == (404, {"error": refusal})


def test_a_run_with_an_unknown_assistant_leaves_the_thread_free(
    client: OpenAI, raw: httpx2.Client, make_assistant: MakeAssistant, thread: Thread
) -> None:
    path = f"threads/{thread.id}/runs"
    for stream in (False, True):
        answer = raw.post(path, json={"assistant_id": "asst_x", "stream": stream})
        assert (answer.status_code, answer.json()) == (
            404,
            {"error": missing("assistant", "asst_x")},
        )
    wrong = raw.post(path, json={"assistant_id": make_assistant("demo").id, "temperature": 3})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (400, "decimal_above_max_value")
    assert client.beta.threads.runs.list(thread.id).data == []
    client.beta.threads.messages.create(thread.id, role="user", content="Still free.")


def test_a_refused_thread_leaves_no_messages(raw: httpx2.Client) -> None:
    messages = [{"role": "user", "content": "kept?"}, {"role": "nobody", "content": "no"}]
    answer = raw.post("threads", json={"messages": messages})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "messages[1].role"
