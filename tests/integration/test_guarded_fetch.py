"""Fetching a stranger's URL: what is refused before, on the way and at the end."""

import ipaddress
import socket
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from assistants.adapters.guarded_fetch import FetchRefusedError, GuardedFetch, IPAddress, is_public
from tests.support.certificate import self_signed, server_context

HOST = "images.example"


class Web(BaseHTTPRequestHandler):
    """Answers each path in its own way and remembers who was asked for it."""

    def __init__(self, asked: list[str], *arguments: Any) -> None:
        self._asked = asked
        super().__init__(*arguments)

    def do_GET(self) -> None:
        """The name is http.server's."""
        self._asked.append(f"{self.headers['Host']} {self.path}")
        match self.path.partition("?")[0]:
            case "/cat.png":
                self._answer(200, b"cat")
            case "/moved":
                self._answer(302, b"", location="/cat.png")
            case "/loop":
                self._answer(302, b"", location="/loop")
            case "/away":
                self._answer(302, b"", location="http://169.254.169.254/latest/meta-data")
            case "/slow":
                self._drip()
            case _:
                self._answer(404, b"")

    def log_message(self, format: str, *args: Any) -> None:
        """Tests look at what was asked."""

    def _answer(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _drip(self) -> None:
        """Send a byte at a time, for ever, so that no single one is late."""
        self.send_response(200)
        self.end_headers()
        gone = threading.Event()
        while not gone.wait(0.02):
            try:
                self.wfile.write(b".")
            except OSError:
                gone.set()


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def web(asked: list[str]) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Web, asked))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def this_machine(host: str, port: int) -> Sequence[str]:
    assert host == HOST
    return ["127.0.0.1"]


def loopback(address: IPAddress) -> bool:
    return address.is_loopback


fetch = GuardedFetch(schemes=frozenset({"http"}), allowed=loopback, resolve=this_machine)


def url(web: ThreadingHTTPServer, path: str, scheme: str = "http") -> str:
    return f"{scheme}://{HOST}:{web.server_port}{path}"


def test_content_comes_from_the_address_that_was_judged_under_its_own_name(
    web: ThreadingHTTPServer, asked: list[str]
) -> None:
    assert fetch(url(web, "/cat.png?size=2&name=é")) == b"cat"
    assert asked == [f"{HOST}:{web.server_port} /cat.png?size=2&name=%C3%A9"]


def test_a_redirect_on_the_same_host_is_followed(web: ThreadingHTTPServer) -> None:
    assert fetch(url(web, "/moved")) == b"cat"


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("/away", "redirects to another host"),
        ("/loop", "redirects too often"),
        ("/none", "answered with status 404"),
    ],
)
def test_what_is_no_content_is_refused(web: ThreadingHTTPServer, path: str, problem: str) -> None:
    with pytest.raises(FetchRefusedError, match=problem):
        fetch(url(web, path))


def test_more_than_allowed_is_refused(web: ThreadingHTTPServer) -> None:
    small = GuardedFetch(frozenset({"http"}), loopback, this_machine, max_bytes=2)
    with pytest.raises(FetchRefusedError, match="sent more than 2 bytes"):
        small(url(web, "/cat.png"))


def test_a_host_that_never_ends_is_left(web: ThreadingHTTPServer) -> None:
    hasty = GuardedFetch(frozenset({"http"}), loopback, this_machine, max_seconds=0.2)
    with pytest.raises(FetchRefusedError, match=r"took longer than 0\.2 s|cannot be reached"):
        hasty(url(web, "/slow"))


def test_a_host_that_says_nothing_is_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hasty = GuardedFetch(frozenset({"http"}), loopback, this_machine, max_seconds=0.2)
        with pytest.raises(FetchRefusedError, match="cannot be reached"):
            hasty(f"http://{HOST}:{silent.getsockname()[1]}/")


@pytest.mark.parametrize(
    "address",
    [
        "http://images.example/cat.png",
        "ftp://images.example/cat.png",
        "file:///etc/passwd",
        "https://user:secret@images.example/cat.png",
        "https:///cat.png",
        "https://[::1/cat.png",
        "//images.example/cat.png",
    ],
)
def test_by_default_only_https_of_a_host_is_fetched(address: str) -> None:
    nobody = GuardedFetch(resolve=lambda host, port: pytest.fail("a name was looked up"))
    with pytest.raises(FetchRefusedError):
        nobody(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.7",
        "172.16.3.4",
        "192.168.1.1",
        "169.254.169.254",  # the metadata of EC2
        "169.254.170.2",  # the credentials of ECS
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:10.0.0.7",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
    ],
)
def test_what_is_not_of_the_internet_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    house = GuardedFetch(resolve=lambda host, port: [address])
    with pytest.raises(FetchRefusedError, match="has no public address"):
        house("https://images.example/")


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_what_is_of_the_internet_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def test_a_name_with_one_private_address_among_others_is_refused() -> None:
    rebinding = GuardedFetch(resolve=lambda host, port: ["8.8.8.8", "10.0.0.7"])
    with pytest.raises(FetchRefusedError, match="has no public address"):
        rebinding("https://images.example/")


@pytest.mark.parametrize("host", ["127.1", "0x7f000001", "2130706433", "localhost"])
def test_a_private_address_is_known_in_its_other_spellings(host: str) -> None:
    with pytest.raises(FetchRefusedError, match="has no public address"):
        GuardedFetch()(f"https://{host}/")


def test_a_name_is_looked_up_once(web: ThreadingHTTPServer) -> None:
    lookups: list[str] = []

    def resolve(host: str, port: int) -> Sequence[str]:
        lookups.append(host)
        return ["127.0.0.1"] if len(lookups) == 1 else ["10.0.0.7"]

    once = GuardedFetch(schemes=frozenset({"http"}), allowed=loopback, resolve=resolve)
    assert once(url(web, "/cat.png")) == b"cat"
    assert lookups == [HOST]


@pytest.fixture(params=[HOST, "other.example"])
def certified(
    request: pytest.FixtureRequest, web: ThreadingHTTPServer, tmp_path: Path
) -> tuple[str, Path]:
    """The server with TLS, and a self-signed certificate for the name that it returns."""
    certificate = self_signed(request.param, tmp_path)
    web.socket = server_context(certificate).wrap_socket(web.socket, server_side=True)
    return request.param, certificate


def test_the_certificate_must_be_of_the_name_not_of_the_address(
    web: ThreadingHTTPServer, certified: tuple[str, Path]
) -> None:
    name, certificate = certified
    secure = GuardedFetch(allowed=loopback, resolve=this_machine, ca_certificates=str(certificate))
    if name == HOST:
        assert secure(url(web, "/cat.png", "https")) == b"cat"
    else:
        with pytest.raises(FetchRefusedError, match="cannot be reached"):
            secure(url(web, "/cat.png", "https"))


def test_a_certificate_that_nobody_vouches_for_is_refused(
    web: ThreadingHTTPServer, certified: tuple[str, Path]
) -> None:
    trusting_nobody = GuardedFetch(allowed=loopback, resolve=this_machine)
    with pytest.raises(FetchRefusedError, match="cannot be reached"):
        trusting_nobody(url(web, "/cat.png", "https"))
