"""A camera's clock against this machine's, from the `Date` that RTSP and HTTP servers put into their answers."""

import socket
import ssl
import time
from contextlib import suppress
from datetime import UTC, datetime
from email.parser import HeaderParser
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

TIMEOUT_S = 3.0
"""For connecting, and for connecting and answering together, however slowly it speaks."""

MOST_BYTES = 16_384
PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}


def clock_ahead_s(url: str) -> float | None:
    """How many seconds the camera's clock is ahead, to about a second; None if it does not say.

    It is asked for its options only (RFC 2326, 10.1; RFC 9110, 9.3.7), without user and password.
    """
    try:
        parts = urlsplit(f"{url.partition('://')[0]}://{url.rpartition('@')[2].rpartition('://')[2]}")
        host, scheme = parts.hostname, parts.scheme.lower()
        port = parts.port or PORTS.get(scheme)
    except ValueError:
        return None
    if not host or not port or scheme not in PORTS:
        return None
    protocol, target = ("RTSP/1.0", f"{scheme}://{parts.netloc}") if scheme.startswith("rtsp") else ("HTTP/1.1", "*")
    request = f"OPTIONS {target} {protocol}\r\nCSeq: 1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"
    asked_s = time.monotonic()
    try:
        head = _ask(host, port, request.encode(), is_private=scheme.endswith("s"))
    except (OSError, ValueError):  # a ValueError: what cannot be a host's name
        return None
    now = datetime.now(UTC)
    travelled_s = time.monotonic() - asked_s
    return None if (theirs := _date(head)) is None else (theirs - now).total_seconds() + travelled_s / 2


def _ask(host: str, port: int, request: bytes, *, is_private: bool) -> bytes:
    until_s = time.monotonic() + TIMEOUT_S
    with socket.create_connection((host, port), timeout=TIMEOUT_S) as plain:
        talk = _unverified().wrap_socket(plain, server_hostname=host) if is_private else plain
        with talk:
            talk.sendall(request)
            head = b""
            while b"\r\n\r\n" not in head and len(head) < MOST_BYTES:
                talk.settimeout(max(0.001, until_s - time.monotonic()))
                if not (more := talk.recv(4096)):
                    break
                head += more
    return head


def _date(head: bytes) -> datetime | None:
    """The answer's `Date`; what has no zone is meant as UTC."""
    _, _, lines = head.decode("latin-1").partition("\r\n")
    with suppress(TypeError, ValueError):
        said = parsedate_to_datetime(str(HeaderParser().parsestr(lines)["Date"]))
        return said if said.tzinfo else said.replace(tzinfo=UTC)
    return None


def _unverified() -> ssl.SSLContext:
    """Cameras sign for themselves, and nothing secret is said here."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
