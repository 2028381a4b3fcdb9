"""Fetches untrusted URLs, but only from the public internet (no server-side request forgery)."""

import contextlib
import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse
from urllib3.util import Url, parse_url

from assistants.domain.image import MAX_IMAGE_BYTES

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_PORTS = {"https": 443, "http": 80}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS = 3
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: its last 32 bits are an IPv4 address


class FetchRefusedError(Exception):
    """Raised when a URL may not be fetched, or did not answer within the limits."""


def is_public(address: IPAddress) -> bool:
    """Return whether an address, or the one embedded in it, is on the public internet."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast


def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host. Raises `OSError`, and `UnicodeError` for a bad name."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


@dataclass(frozen=True)
class GuardedFetch:
    """GET https URLs on public addresses.

    A host is resolved once, and the connection goes to the address that was checked. Redirects are
    followed on the same host only, with the same checks. Tests with a local server replace
    `allowed` and `resolve`.
    """

    schemes: frozenset[str] = frozenset({"https"})
    allowed: Callable[[IPAddress], bool] = is_public
    resolve: Callable[[str, int], Sequence[str]] = resolve
    max_bytes: int = MAX_IMAGE_BYTES
    max_seconds: float = 20.0
    ca_certificates: str | None = None

    def __call__(self, url: str) -> bytes:
        """Return the content of a URL. Raises `FetchRefusedError`."""
        deadline = time.monotonic() + self.max_seconds
        for _ in range(_MAX_REDIRECTS + 1):
            target = self._parsed(url)
            try:
                content, location = self._get(target, deadline)
            except (HTTPError, OSError) as error:
                raise FetchRefusedError(f"{target.host} cannot be reached.") from error
            if location is None:
                return content
            url = urljoin(target.url, location)
            if self._parsed(url).netloc != target.netloc:
                raise FetchRefusedError(f"{target.host} redirects to another host.")
        raise FetchRefusedError(f"{target.host} redirects too often.")

    def _parsed(self, url: str) -> Url:
        try:
            parsed = parse_url(url)
        except HTTPError as error:
            raise FetchRefusedError("The URL is not valid.") from error
        if parsed.scheme not in self.schemes:
            raise FetchRefusedError(f"The URL must begin with {' or '.join(self.schemes)}://.")
        if parsed.auth or not parsed.host:
            raise FetchRefusedError("The URL must name a host, without a user.")
        return parsed

    def _get(self, target: Url, deadline: float) -> tuple[bytes, str | None]:
        """Return the content, or the location that it redirects to."""
        connection = self._connection(target, deadline)
        # A read timeout restarts with each byte; this timer limits the whole request.
        alarm = threading.Timer(deadline - time.monotonic(), _cut, [connection.sock])
        alarm.start()
        try:
            connection.request(
                "GET",
                target.request_uri,
                headers={"host": target.netloc or "", "accept-encoding": "identity"},
                preload_content=False,
                decode_content=False,
            )
            answer = connection.getresponse()
            if answer.status in _REDIRECTS:
                return b"", answer.headers.get("location", "")
            return self._content(target, answer, deadline), None
        finally:
            alarm.cancel()
            connection.close()

    def _connection(self, target: Url, deadline: float) -> HTTPConnection:
        host, scheme = (target.host or "").strip("[]"), target.scheme or ""
        port = target.port or _PORTS[scheme]
        address = self._address(host, port)
        seconds = max(0.001, deadline - time.monotonic())
        if scheme == "http":
            connection = HTTPConnection(address, port, timeout=seconds)
        else:
            connection = HTTPSConnection(
                address,
                port,
                timeout=seconds,
                server_hostname=host,
                cert_reqs="CERT_REQUIRED",
                ca_certs=self.ca_certificates,
            )
        connection.connect()
        return connection

    def _address(self, host: str, port: int) -> str:
        try:
            addresses = self.resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise FetchRefusedError(f"{host} has no address.") from error
        # A private address among public ones is an attack, not a mistake.
        if not addresses or not all(self.allowed(ipaddress.ip_address(one)) for one in addresses):
            raise FetchRefusedError(f"{host} has no public address.")
        return addresses[0]

    def _content(self, target: Url, answer: BaseHTTPResponse, deadline: float) -> bytes:
        if answer.status != 200:
            raise FetchRefusedError(f"{target.host} answered with status {answer.status}.")
        content = answer.read(self.max_bytes + 1)
        if time.monotonic() >= deadline:
            raise FetchRefusedError(f"{target.host} took longer than {self.max_seconds:g} s.")
        if len(content) > self.max_bytes:
            raise FetchRefusedError(f"{target.host} sent more than {self.max_bytes} bytes.")
        return content


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it is closed already
        socket.socket.shutdown(connection, socket.SHUT_RDWR)  # not SSLSocket's own
