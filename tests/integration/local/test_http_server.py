"""The HTTP server that all local endpoints share keeps connections and streams both ways."""

import http.client
import socket
from collections.abc import Callable, Iterator

import pytest

from infra.local.http_message import BodyTooLargeError, HttpRequest, HttpResponse
from infra.local.http_server import Handler, HttpServer

Serve = Callable[[Handler], HttpServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[HttpServer] = []

    def start(handle: Handler) -> HttpServer:
        servers.append(HttpServer(handle))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def exchange(server: HttpServer, sent: bytes) -> bytes:
    """What comes back until the server closes or says nothing more."""
    with socket.create_connection((server.host, server.port)) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def echo(request: HttpRequest) -> HttpResponse:
    return HttpResponse(200, [("X-Method", request.method)], request.body.read())


def test_one_connection_carries_many_requests(serve: Serve) -> None:
    server = serve(echo)
    connection = http.client.HTTPConnection(server.host, server.port)
    for number in range(3):
        connection.request("PUT", "/", f"body {number}")
        response = connection.getresponse()
        assert (response.status, response.read()) == (200, f"body {number}".encode())
        assert response.headers["X-Method"] == "PUT"
        assert connection.sock is not None
    connection.close()


def test_a_chunked_request_is_read_with_its_trailers(serve: Serve) -> None:
    def handle(request: HttpRequest) -> HttpResponse:
        pieces = list(request.body.chunks())
        return HttpResponse(200, [], repr((pieces, request.body.trailers)).encode())

    sent = (
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Error: broken off\r\n\r\n"
    )
    answer = exchange(serve(handle), sent)
    assert answer.endswith(repr(([b"abc", b"de"], {"x-error": "broken off"})).encode())


def test_an_iterated_response_is_chunked_and_the_connection_stays(serve: Serve) -> None:
    server = serve(lambda _: HttpResponse(200, [], iter([b"one", b"two"])))
    connection = http.client.HTTPConnection(server.host, server.port)
    for _ in range(2):
        connection.request("GET", "/")
        response = connection.getresponse()
        assert response.headers["Transfer-Encoding"] == "chunked"
        assert response.read() == b"onetwo"
    connection.close()


def test_an_empty_chunk_does_not_end_a_response(serve: Serve) -> None:
    server = serve(lambda _: HttpResponse(200, [], iter([b"one", b"", b"two"])))
    answer = exchange(server, b"GET / HTTP/1.1\r\n\r\n")
    assert answer.endswith(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")


def test_an_old_client_hears_the_end_of_a_stream_by_the_end_of_the_connection(
    serve: Serve,
) -> None:
    server = serve(lambda _: HttpResponse(200, [], iter([b"one", b"two"])))
    answer = exchange(server, b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert answer.endswith(b"\r\n\r\nonetwo")


def test_a_client_that_asks_for_the_end_of_the_connection_gets_it_after_a_stream(
    serve: Serve,
) -> None:
    server = serve(lambda _: HttpResponse(200, [], iter([b"one"])))
    with socket.create_connection((server.host, server.port)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.endswith(b"0\r\n\r\n")


def test_malformed_chunks_cut_the_connection(serve: Serve) -> None:
    sent = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nmany\r\nabc"
    assert exchange(serve(echo), sent) == b""


def test_a_body_that_the_handler_left_unread_does_not_spoil_the_next_request(serve: Serve) -> None:
    server = serve(lambda request: HttpResponse(200, [], request.path.encode()))
    sent = b"POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nGET /GET /b HTTP/1.1\r\n\r\n"
    answer = exchange(server, sent)
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert answer.endswith(b"/b")


def test_a_body_above_the_readers_limit_is_refused_and_the_client_hears_it(serve: Serve) -> None:
    def handle(request: HttpRequest) -> HttpResponse:
        try:
            return HttpResponse(200, [], request.body.read(1000))
        except BodyTooLargeError:
            return HttpResponse(413)

    server = serve(handle)
    connection = http.client.HTTPConnection(server.host, server.port)
    connection.request("POST", "/", b"x" * 5_000_000)
    response = connection.getresponse()
    assert (response.status, response.read()) == (413, b"")
    connection.close()


def test_an_error_in_the_handler_is_a_500_and_logged(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    def handle(request: HttpRequest) -> HttpResponse:
        raise LookupError("a bug")

    assert exchange(serve(handle), b"GET / HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 500")
    assert "a bug" in caplog.text


def test_an_error_within_the_response_cuts_it_off(serve: Serve) -> None:
    def body() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionAbortedError("the function failed")

    answer = exchange(serve(lambda _: HttpResponse(200, [], body())), b"GET / HTTP/1.1\r\n\r\n")
    assert answer.endswith(b"4\r\nhalf\r\n")


def test_a_malformed_length_is_a_bad_request(serve: Serve) -> None:
    answer = exchange(serve(echo), b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400")


def test_head_has_the_length_and_no_body(serve: Serve) -> None:
    server = serve(lambda _: HttpResponse(200, [], b"12345"))
    answer = exchange(server, b"HEAD / HTTP/1.1\r\n\r\n")
    assert b"Content-Length: 5\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


def test_closing_cuts_open_connections_and_frees_the_port(serve: Serve) -> None:
    server = serve(echo)
    with socket.create_connection((server.host, server.port)) as connection:
        server.close()
        assert connection.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((server.host, server.port))
