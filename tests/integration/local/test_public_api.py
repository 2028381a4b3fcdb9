"""The public API answers as API Gateway would for the same template."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from infra.local import LocalStack, public_api
from tests.integration.local import toy_template


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    assembly = toy_template.assembly(tmp_path_factory.mktemp("assembly"))
    with LocalStack(assembly=assembly) as stack:
        yield stack


@pytest.fixture
def connection(stack: LocalStack) -> Iterator[http.client.HTTPConnection]:
    url = urlsplit(stack.base_url)
    connection = http.client.HTTPConnection(str(url.hostname), url.port)
    yield connection
    connection.close()


def ask(
    connection: http.client.HTTPConnection,
    path: str,
    body: bytes | str | None = None,
    *,
    method: str = "POST",
    **headers: str,
) -> http.client.HTTPResponse:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, names)
    return connection.getresponse()


def event(response: http.client.HTTPResponse) -> Any:
    assert response.status == 200
    return json.loads(response.read())


def test_the_function_gets_a_proxy_event(connection: http.client.HTTPConnection) -> None:
    response = ask(
        connection, "/v1/threads/th%20x?a=1&a=2&b=%C3%A9&c=", "höllo".encode(), User_Agent="me"
    )
    got = event(response)
    assert got["resource"] == "/threads/{thread_id}"
    assert got["path"] == "/threads/th%20x"
    assert got["httpMethod"] == "POST"
    assert got["pathParameters"] == {"thread_id": "th x"}
    assert got["queryStringParameters"] == {"a": "2", "b": "é", "c": ""}
    assert got["multiValueQueryStringParameters"] == {"a": ["1", "2"], "b": ["é"], "c": [""]}
    assert got["headers"]["User-Agent"] == "me"
    assert got["multiValueHeaders"]["X-Forwarded-For"] == ["127.0.0.1"]
    assert (got["body"], got["isBase64Encoded"]) == ("höllo", False)
    context = got["requestContext"]
    assert (context["stage"], context["path"]) == ("v1", "/v1/threads/th%20x")
    assert context["identity"]["sourceIp"] == "127.0.0.1"


def test_a_binary_body_is_base64(connection: http.client.HTTPConnection) -> None:
    response = ask(
        connection, "/v1/threads/x", b"\xff\x00", Content_Type="multipart/form-data; boundary=b"
    )
    got = event(response)
    assert (got["body"], got["isBase64Encoded"]) == ("/wA=", True)


def test_a_request_without_body_or_query_has_nulls(connection: http.client.HTTPConnection) -> None:
    got = event(ask(connection, "/v1/threads", method="GET"))
    assert got["body"] is None
    assert got["queryStringParameters"] is None
    assert got["pathParameters"] is None


@pytest.mark.parametrize("prefix", ["/v1", "", "/api/v1"])
def test_the_api_answers_under_each_of_its_prefixes(
    connection: http.client.HTTPConnection, prefix: str
) -> None:
    got = event(ask(connection, f"{prefix}/threads/x"))
    assert (got["path"], got["requestContext"]["path"]) == ("/threads/x", "/v1/threads/x")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/nothing"),
        ("POST", "/v1/threads"),
        ("GET", "/v1/threads/x/messages"),
        ("GET", "/v1/threads/"),
        ("GET", "/"),
    ],
)
def test_what_the_template_does_not_declare_is_its_gateway_response(
    connection: http.client.HTTPConnection, method: str, path: str
) -> None:
    response = ask(connection, path, method=method)
    assert response.status == 404
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    url = path if path.startswith("/v1") else f"/v1{path}"
    assert json.loads(response.read()) == {"error": f"Invalid URL ({method} {url})"}


def test_a_static_part_wins_over_a_parameter(connection: http.client.HTTPConnection) -> None:
    response = ask(connection, "/v1/threads/runs", '{"do": "count", "to": 1}')
    assert response.read() == b"data: 0\n\n"


def test_a_greedy_part_takes_the_rest(connection: http.client.HTTPConnection) -> None:
    got = event(ask(connection, "/v1/threads/t/messages/a/b%2Fc"))
    assert got["pathParameters"] == {"thread_id": "t", "proxy": "a/b/c"}


@pytest.mark.parametrize("name", ["crash", "nonsense", "large"])
def test_a_function_that_fails_is_a_502_in_the_templates_words(
    connection: http.client.HTTPConnection, name: str
) -> None:
    response = ask(connection, f"/v1/threads/{name}")
    assert response.status == 502
    assert json.loads(response.read()) == {"error": "Internal server error"}


def test_a_function_slower_than_its_integration_is_a_504(
    connection: http.client.HTTPConnection,
) -> None:
    response = ask(connection, "/v1/slow/sleep")
    assert response.status == 504
    assert json.loads(response.read()) == {"error": "Endpoint request timed out"}


def test_a_throttled_function_is_a_500(
    stack: LocalStack, connection: http.client.HTTPConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack.functions["Api"], "limit", 0)
    assert ask(connection, "/v1/threads/x").status == 500


def test_a_body_above_ten_megabytes_is_refused_in_awss_words(
    connection: http.client.HTTPConnection,
) -> None:
    response = ask(connection, "/v1/threads/x", b"x" * 10_485_761)
    assert response.status == 413
    assert response.read() == b"HTTP content length exceeded 10485760 bytes."


def test_a_body_above_lambdas_limit_is_refused(connection: http.client.HTTPConnection) -> None:
    response = ask(connection, "/v1/threads/x", b"x" * 6_300_000)
    assert response.status == 413
    assert json.loads(response.read()) == {"message": "Request Too Long"}


def test_a_binary_response_is_decoded(connection: http.client.HTTPConnection) -> None:
    assert ask(connection, "/v1/threads/binary").read() == bytes(range(256))


def test_repeated_headers_stay_repeated(connection: http.client.HTTPConnection) -> None:
    response = ask(connection, "/v1/threads/cookies")
    assert response.status == 204
    assert response.headers["X-One"] == "1"
    assert response.headers.get_all("Set-Cookie") == ["a=1", "b=2"]


def test_a_stream_reaches_the_client_as_it_is_written(
    connection: http.client.HTTPConnection, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    response = ask(connection, "/v1/events", json.dumps({"do": "wait", "for": str(seen)}))
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/event-stream"
    assert response.read1() == b"waiting"
    seen.touch()
    assert response.read() == b"done"


def test_a_streamed_response_has_its_own_status_and_headers(
    connection: http.client.HTTPConnection,
) -> None:
    response = ask(connection, "/v1/events", '{"do": "cookies"}')
    assert response.status == 201
    assert response.headers.get_all("Set-Cookie") == ["a=1", "b=2"]


@pytest.mark.parametrize("action", ["fail before", "say nothing"])
def test_a_stream_that_fails_before_it_begins_is_a_502(
    connection: http.client.HTTPConnection, action: str
) -> None:
    response = ask(connection, "/v1/events", json.dumps({"do": action}))
    assert response.status == 502
    assert json.loads(response.read()) == {"error": "Internal server error"}


def test_a_stream_that_fails_within_is_cut_off(connection: http.client.HTTPConnection) -> None:
    response = ask(connection, "/v1/events", '{"do": "fail within"}')
    with pytest.raises(http.client.IncompleteRead):
        response.read()


def test_a_stream_that_is_silent_for_too_long_is_cut_off(
    connection: http.client.HTTPConnection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(public_api, "SILENCE_SECONDS", 0.5)
    seen = tmp_path / "seen"
    response = ask(connection, "/v1/events", json.dumps({"do": "wait", "for": str(seen)}))
    with pytest.raises(http.client.IncompleteRead):
        response.read()
    seen.touch()


def test_a_client_that_leaves_a_stream_does_not_end_the_function(
    stack: LocalStack, connection: http.client.HTTPConnection
) -> None:
    response = ask(connection, "/v1/events", '{"do": "count", "to": 20, "pause": 0.02}')
    assert response.read1().startswith(b"data: 0")
    connection.close()
    starts = stack.functions["Stream"].cold_starts
    again = ask(connection, "/v1/events", '{"do": "count", "to": 1}')
    assert again.read() == b"data: 0\n\n"
    assert stack.functions["Stream"].cold_starts <= starts + 1
