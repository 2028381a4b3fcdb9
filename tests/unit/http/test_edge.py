"""The edge: headers, keys, the beta header, malformed requests, crashes, CORS, event streams."""

import json
import re
from typing import Any

import pytest

from assistants.domain.schema import Object
from assistants.http.app import create_app
from assistants.http.events import frames
from assistants.http.routes import ROUTES
from assistants.services.runs.event_stream import StreamEvent, StreamStalledError
from tests.support.api_client import Client
from tests.support.deployment import Deployment, path
from tests.support.fakes import FakeTable

NOT_JSON = (
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using "
    "your HTTP library correctly. The API expects a JSON payload, but what was sent was not valid "
    "JSON.)"
)


def test_every_answer_has_the_headers_of_the_original() -> None:
    deployment = Deployment(["Hi"])
    assistant_id, thread_id = deployment.assistant(), deployment.thread()
    answers = [
        deployment.api.request("GET", "/assistants"),
        deployment.api.request("GET", "/assistants/asst_none"),
        deployment.api.request("POST", "/assistants", {}),
        deployment.api.request("GET", "/nowhere"),
        deployment.api.request("DELETE", "/models"),
        deployment.api.request("GET", "/models", headers={"authorization": ""}),
        deployment.api.request("POST", "/threads", content=b"{"),
        deployment.api.request(
            "POST", f"/threads/{thread_id}/runs", {"assistant_id": assistant_id, "stream": True}
        ),
    ]
    assert [answer.status for answer in answers] == [200, 404, 400, 404, 405, 401, 400, 200]
    for answer in answers:
        assert re.fullmatch(r"req_\w{26}", answer.headers["x-request-id"])
        assert answer.headers["openai-version"] == "2020-10-01"
        assert int(answer.headers["openai-processing-ms"]) >= 1
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)


def test_pollers_learn_how_soon_to_ask_again() -> None:
    deployment = Deployment([], machine=False)
    run = deployment.run()
    answer = deployment.api.request("GET", path(run))
    assert 1 <= int(answer.headers["openai-poll-after-ms"]) < 1000
    assert "openai-poll-after-ms" not in deployment.api.request("GET", "/assistants").headers


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic abc", "sk-test"])
def test_a_missing_key_is_refused_differently_from_a_wrong_one(header: str) -> None:
    deployment = Deployment()
    answer = deployment.api.request("GET", "/models", headers={"authorization": header})
    assert answer.status == 401
    assert answer.error["message"].startswith("You didn't provide an API key.")
    assert answer.error["code"] is None


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_of_a_key_may_be_written_as_it_likes(scheme: str) -> None:
    deployment = Deployment()
    answer = deployment.api.request("GET", "/models", headers={"authorization": f"{scheme} k"})
    assert answer.status == 200


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("assistants=v2", 200),
        ("responses=v1, assistants=v2", 200),
        ("assistants=v2,other", 200),
        ("assistants=v1", 400),
        ("", 400),
        ("assistants=v20", 400),
    ],
)
@pytest.mark.parametrize("url", ["/assistants", "/threads/thread_a"])
def test_the_beta_header_is_asked_for(header: str, status: int, url: str) -> None:
    deployment = Deployment()
    answer = deployment.api.request("GET", url, headers={"openai-beta": header})
    assert answer.status == (status if url == "/assistants" or status == 400 else 404)
    if status == 400:
        assert answer.error == {
            "message": "You must provide the 'OpenAI-Beta' header to access the Assistants API. "
            "Please try again by setting the header 'OpenAI-Beta: assistants=v2'.",
            "type": "invalid_request_error",
            "param": None,
            "code": "invalid_beta",
        }


def test_models_need_no_beta_header() -> None:
    answer = Deployment().api.request("GET", "/models", headers={"openai-beta": ""})
    assert answer.status == 200
    assert [model["id"] for model in answer.json["data"]] == ["demo", "small"]


def test_a_model_that_is_not_mapped_does_not_exist() -> None:
    deployment = Deployment()
    assert deployment.api.get("/models/demo")["object"] == "model"
    answer = deployment.api.request("GET", "/models/gpt-9")
    assert (answer.status, answer.error["code"]) == (404, "model_not_found")


@pytest.mark.parametrize(
    "url", ["/", "/nowhere", "/assistants/", "/assistants/a/b", "/threads/a/messages/b/files"]
)
def test_an_unknown_url_is_named(url: str) -> None:
    answer = Deployment().api.request("POST", url)
    assert answer.status == 404
    assert answer.error["message"] == f"Invalid URL (POST /v1{url})"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
def test_a_method_that_a_url_does_not_have_is_named(method: str) -> None:
    answer = Deployment().api.request(method, "/assistants")
    assert answer.status == 405
    assert answer.error["message"] == f"Not allowed to {method} on /v1/assistants."


def test_every_route_takes_its_method_and_no_other() -> None:
    deployment = Deployment()
    methods: dict[str, set[str]] = {}
    for route in ROUTES:
        methods.setdefault(route.path, set()).add(route.method)
    for url, known in methods.items():
        filled = re.sub(r"{\w+}", "none", url)
        for method in ("GET", "POST", "PUT", "DELETE"):
            status = deployment.api.request(method, filled).status
            assert (status == 405) == (method not in known), (method, url)


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b'{"model": "demo",}',
        b"model=demo",
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"name": "\\ud800"}',
        b'{"metadata": {"\\udc00": "x"}}',
        b"[" * 100_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b'{"temperature": 1' + b"0" * 5_000 + b"}",
        b"{}{}",
    ],
)
def test_a_body_that_is_not_json_is_refused(content: bytes) -> None:
    answer = Deployment().api.request("POST", "/assistants", content=content)
    assert answer.status == 400
    assert answer.error["message"] == NOT_JSON
    assert (answer.error["param"], answer.error["code"]) == (None, None)


@pytest.mark.parametrize("content", [b"", b" \n "])
def test_an_empty_body_is_an_empty_object(content: bytes) -> None:
    deployment = Deployment()
    assert deployment.api.request("POST", "/threads", content=content).status == 200
    answer = deployment.api.request("POST", "/assistants", content=content)
    assert answer.error["message"] == "Missing required parameter: 'model'."


def test_values_that_are_deep_large_or_odd_are_kept() -> None:
    deployment = Deployment()
    deep: Any = "end"
    for _ in range(60):
        deep = [{"x": deep}] if isinstance(deep, dict) else {"y": deep}
    parameters = {"deep": deep, "large": 2**80, "small": 1e-300, "empty": {}, "": None}
    function = {"name": "f", "parameters": parameters}
    tools = [{"type": "function", "function": function}]
    made = deployment.api.post("/assistants", {"model": "demo", "tools": tools})
    assert made["tools"] == tools
    assert deployment.api.get(f"/assistants/{made['id']}")["tools"] == tools


def test_128_tools_with_large_schemas_are_kept() -> None:
    deployment = Deployment()
    properties = {f"member_{number}": {"type": "string"} for number in range(100)}
    tools = [
        {
            "type": "function",
            "function": {"name": f"f{n}", "parameters": {"properties": properties}},
        }
        for n in range(128)
    ]
    made = deployment.api.post("/assistants", {"model": "demo", "tools": tools})
    assert made["tools"] == tools


class BrokenTable(FakeTable):
    def get(self, *keys: Any) -> Any:
        raise RuntimeError("password=hunter2")


def test_a_crash_is_a_500_that_shows_nothing_of_the_inside(
    caplog: pytest.LogCaptureFixture,
) -> None:
    deployment = Deployment(table=BrokenTable())
    answer = deployment.api.request("GET", "/assistants/asst_a")
    assert answer.status == 500
    assert answer.error["type"] == "server_error"
    assert answer.headers["x-request-id"] in answer.error["message"]
    assert b"hunter2" not in answer.body
    [record] = caplog.records
    assert record.exc_info is not None
    assert "hunter2" in str(record.exc_info[1])


def test_a_browser_may_call_from_an_allowed_origin() -> None:
    deployment = Deployment()
    app = create_app(deployment.backend, cors_origins=("https://app.example",))
    client = Client(app)
    preflight = client.request(
        "OPTIONS",
        "/threads",
        headers={
            "origin": "https://app.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization, openai-beta",
            "authorization": "",
        },
    )
    assert preflight.status == 200
    assert preflight.headers["access-control-allow-origin"] == "https://app.example"
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert "openai-beta" in preflight.headers["access-control-allow-headers"]
    for url in ("/assistants", "/nowhere", "/assistants/asst_none"):
        answer = client.request("GET", url, headers={"origin": "https://app.example"})
        assert answer.headers["access-control-allow-origin"] == "https://app.example", url
        assert "access-control-expose-headers" in answer.headers


@pytest.mark.parametrize("origins", [(), ("https://app.example",)])
def test_another_origin_is_not_allowed(origins: tuple[str, ...]) -> None:
    client = Client(create_app(Deployment().backend, cors_origins=origins))
    headers = {"origin": "https://evil.example"}
    answer = client.request("GET", "/assistants", headers=headers)
    assert "access-control-allow-origin" not in answer.headers
    preflight = client.request(
        "OPTIONS", "/threads", headers={**headers, "access-control-request-method": "POST"}
    )
    assert preflight.status >= 400


def test_an_id_of_another_kind_is_refused_by_its_name() -> None:
    deployment = Deployment()
    for url, param in (
        ("/assistants/thread_a", "assistant_id"),
        ("/threads/new", "thread_id"),
        ("/threads/thread_a/messages/run_a", "message_id"),
        ("/threads/thread_a/runs/msg_a", "run_id"),
        ("/threads/thread_a/runs/run%00", "run_id"),
    ):
        answer = deployment.api.request("GET", url)
        assert answer.status == 400, url
        assert (answer.error["param"], answer.error["code"]) == (param, "invalid_value")


@pytest.mark.parametrize("url", ["/assistants/asst_a", "/models", "/threads/thread_a/runs/run_a"])
def test_a_query_member_that_nothing_reads_is_refused(url: str) -> None:
    answer = Deployment().api.request("GET", f"{url}?verbose=1")
    assert (answer.status, answer.error["param"]) == (400, "verbose")


def test_an_event_stream_is_sent_as_such_and_never_stored() -> None:
    deployment = Deployment(["Hi"])
    run = deployment.run()
    answer = deployment.api.request("GET", f"{path(run)}/events")
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert "content-length" not in answer.headers
    frames = answer.body.split(b"\n\n")
    assert frames[0].startswith(b"id: 1\nevent: thread.run.created\ndata: {")
    assert frames[-2:] == [b"event: done\ndata: [DONE]", b""]


def test_a_frame_is_one_line_of_data_whatever_the_text() -> None:
    data = {"text": "a\nb\r\nc\u2028d 🙂"}
    [frame, _] = frames([StreamEvent(7, 3, "thread.message.delta", data)])
    assert frame.decode().split("\n")[:2] == ["id: 7", "event: thread.message.delta"]
    assert frame.count(b"\n") == 4
    assert json.loads(frame.decode().split("\n")[2].removeprefix("data: ")) == data


def test_silence_is_a_comment_and_the_end_is_always_sent() -> None:
    assert list(frames([None])) == [b": keep-alive\n", b"event: done\ndata: [DONE]\n\n"]

    def stalled() -> Any:
        yield None
        raise StreamStalledError("run_a")

    *_, error, done = frames(stalled())
    assert error.startswith(b'event: error\ndata: {"error": {"message": "Run run_a')
    assert done == b"event: done\ndata: [DONE]\n\n"


def test_a_stream_that_cannot_be_read_on_ends_in_words_that_show_nothing_of_ours() -> None:
    def broken() -> Any:
        yield None
        raise RuntimeError("secret")

    *_, error, done = frames(broken())
    assert error.startswith(b'event: error\ndata: {"error": {"message": "The events of the run')
    assert b"secret" not in error
    assert done == b"event: done\ndata: [DONE]\n\n"


def test_errors_before_the_first_event_are_plain_json() -> None:
    deployment = Deployment()
    answer = deployment.api.request(
        "POST", "/threads/thread_none/runs", {"assistant_id": "asst_none", "stream": True}
    )
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/json"


def test_the_openapi_document_needs_no_key_and_names_every_route() -> None:
    client = Client(Deployment().app, key="")
    document = client.request("GET", "/openapi.json", headers={"openai-beta": ""})
    assert document.status == 200
    served = {
        (method.upper(), url)
        for url, operations in document.json["paths"].items()
        for method in operations
    }
    assert served == {(route.method, route.path) for route in ROUTES}


def test_what_a_json_answer_holds_is_what_its_schema_says() -> None:
    """Every member is always there, null when it has no value."""
    deployment = Deployment(["Hi"])
    run = deployment.run()
    for answer in (run, deployment.steps(run)[0], deployment.messages(run)[0]):
        schema = next(
            each
            for each in _all_objects(Object)
            if getattr(each.model_fields.get("object"), "default", None) == answer["object"]
        )
        assert set(answer) == set(schema.model_fields)


def _all_objects(base: type[Object]) -> Any:
    for each in base.__subclasses__():
        yield each
        yield from _all_objects(each)
