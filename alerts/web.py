"""HTTP between box and centre: a client, and what a centre says when it does not do what was asked."""

import ipaddress
import ssl
from collections.abc import Sequence

import httpx

SocketOption = tuple[int, int, int]
"""Level, name and value, as `setsockopt` takes them."""


def is_this_machine(host: str) -> bool:
    """Whether a host name or address can only be this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def open_client(
    url: str,
    *,
    timeout: httpx.Timeout,
    transport: httpx.BaseTransport | None = None,
    tls: ssl.SSLContext | None = None,
    socket_options: Sequence[SocketOption] = (),
) -> httpx.Client:
    """A client for the centre at `url`; a proxy of the environment is not asked for what is on this machine.

    `tls` says whom to trust; without it, whom this system trusts.
    """
    trust_env = not is_this_machine(httpx.URL(url).host)
    verify = True if tls is None else tls
    if transport is None and socket_options:
        transport = httpx.HTTPTransport(verify=verify, trust_env=trust_env, socket_options=socket_options)
    return httpx.Client(transport=transport, timeout=timeout, trust_env=trust_env, verify=verify)


def reason_of(response: httpx.Response) -> str:
    """Its status and the `detail` of its JSON, in one line of at most 240 characters."""
    try:
        body = response.json()
    except ValueError:
        body = None
    detail = body.get("detail") if isinstance(body, dict) else None
    words = " ".join(detail.split())[:200] if isinstance(detail, str) else ""
    return f"the centre answered {response.status_code}" + (f": {words}" if words else "")
