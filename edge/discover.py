"""Cameras on the local network, asked by ONVIF's two steps: a call to everybody (WS-Discovery), then each by itself.

The call goes to the local multicast group alone and is not routed on. Whoever answers is asked at the address its
answer came from, never at another that it names; no proxy and no redirection is followed; passwords leave as digests.
Envelopes and answers are the library's (`onveef`); the sockets are ours, since only they know who answered.
"""

import fcntl
import selectors
import socket
import struct
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import httpx
from onveef import OnvifClient
from onveef.exceptions import OnvifAuthError, OnvifError
from onveef.models import SystemDateTime
from onveef.transport import OnvifEndpoint
from onveef.wsdiscovery import DiscoveredDevice, build_probe, parse_probe_matches

from edge.errors import NothingFound

GROUP = ("239.255.255.250", 3702)
"""WS-Discovery 1.0, 2.4."""

CALLS = 3
"""Over the whole time, since datagrams get lost."""

TYPES = ("dn:NetworkVideoTransmitter", "tds:Device")
"""Asked one by one: who is asked for both must be both (WS-Discovery 1.0, 5.1)."""

ANSWER_S = 5.0
MOST_CAMERAS = 1000
_AT_A_TIME = 8
_DATAGRAM_BYTES = 65535
_SIOCGIFADDR = 0x8915


@dataclass(frozen=True, slots=True)
class Login:
    """A user of the cameras."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Who answered the call: `address` is where from, `service` where it is asked more; the rest it says itself."""

    address: str
    service: str
    name: str = ""
    hardware: str = ""
    location: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One way to play a camera. `source` tells the lenses of a recorder apart. 0 or empty: not said.

    `key_every` is how many frames there are from one key frame to the next.
    """

    profile: str
    url: str = field(repr=False)
    source: str = ""
    codec: str = ""
    width: int = 0
    height: int = 0
    rate_per_s: float = 0.0
    key_every: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a camera told about itself, or the `problem` that kept it from telling.

    `clock_ahead_s` is its clock against this machine's, to about a second; None if it does not say.
    """

    found: Found
    maker: str = ""
    model: str = ""
    firmware: str = ""
    clock_ahead_s: float | None = None
    streams: tuple[Stream, ...] = ()
    problem: str = ""


def local_addresses() -> list[str]:
    """This machine's own IPv4 addresses, one of each interface, without loopback (netdevice(7))."""
    addresses = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            with suppress(OSError):
                answer = fcntl.ioctl(asking, _SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
                addresses.append(socket.inet_ntoa(answer[20:24]))
    return [address for address in addresses if not address.startswith("127.")]


def find_cameras(interfaces: Sequence[str], seconds: float, *, group: tuple[str, int] = GROUP) -> list[Found]:
    """Call from each of these own addresses, and listen for so long. Raises NothingFound if it cannot be called."""
    found: dict[tuple[str, str], Found] = {}
    with ExitStack() as cleanup:
        sockets = [cleanup.enter_context(_open(address)) for address in interfaces]
        if not sockets:
            raise NothingFound("this machine has no network but itself; connect it, or name an address: --interface")
        selector = cleanup.enter_context(selectors.DefaultSelector())
        for each in sockets:
            selector.register(each, selectors.EVENT_READ)
        for datagram, sender in _answers(selector, sockets, group, seconds):
            for device in parse_probe_matches(datagram.decode("utf-8", errors="replace")):
                if _is_camera(device) and (one := _found(device, sender)) and len(found) < MOST_CAMERAS:
                    found.setdefault((sender, device.endpoint_reference), one)
    return sorted(found.values(), key=lambda each: (socket.inet_aton(each.address), each.service))


def ask_cameras(cameras: Iterable[Found], login: Login) -> list[Asked]:
    """Ask each what it is and how it is played, several at a time."""
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        return list(pool.map(lambda camera: ask_camera(camera, login), cameras))


def ask_camera(found: Found, login: Login) -> Asked:
    """What one camera tells to this user; a problem is part of the answer."""
    with httpx.Client(timeout=ANSWER_S, trust_env=False, verify=False) as http:  # noqa: S501 - cameras sign for themselves
        client = OnvifClient(
            endpoint=OnvifEndpoint(found.service),
            username=login.user,
            password=login.password,
            auto_discover=True,
            http_auth="digest",
            retries=1,
            http_client=http,
        )
        try:
            ahead_s = _clock_ahead_s(client)
            about = client.get_device_information()
            return Asked(
                found=found,
                maker=about.get("Manufacturer", ""),
                model=about.get("Model", ""),
                firmware=about.get("FirmwareVersion", ""),
                clock_ahead_s=ahead_s,
                streams=tuple(_streams(client)),
            )
        except OnvifAuthError:
            return Asked(
                found=found, problem="refuses this user or password for ONVIF (many cameras want a user made for it)"
            )
        except (OnvifError, httpx.HTTPError, ValueError) as error:
            return Asked(found=found, problem=f"does not answer as it should: {error}")


def _open(address: str) -> socket.socket:
    """A socket whose calls leave by the interface with this own address, and reach no other network."""
    calling = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        calling.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        calling.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
        calling.bind((address, 0))
    except OSError as error:
        calling.close()
        why = (error.strerror or str(error)).lower()
        own = ", ".join(local_addresses()) or "none"
        raise NothingFound(f"cannot call from {address} ({why}); addresses of this machine: {own}") from None
    calling.setblocking(False)
    return calling


def _answers(
    selector: selectors.BaseSelector, sockets: Sequence[socket.socket], group: tuple[str, int], seconds: float
) -> Iterator[tuple[bytes, str]]:
    """Datagrams that came, and who sent each, until the time is over."""
    begin_s = time.monotonic()
    calls_s = [begin_s + seconds * number / CALLS for number in range(CALLS)]
    while (now_s := time.monotonic()) < begin_s + seconds:
        if calls_s and calls_s[0] <= now_s:
            calls_s.pop(0)
            for each in sockets:
                _call(each, group)
        for key, _ in selector.select((calls_s[0] if calls_s else begin_s + seconds) - now_s):
            with suppress(OSError):
                datagram, (sender, _port) = key.fileobj.recvfrom(_DATAGRAM_BYTES)  # type: ignore[union-attr]
                yield datagram, sender


def _call(calling: socket.socket, group: tuple[str, int]) -> None:
    for types in TYPES:
        probe = build_probe(message_id=f"urn:uuid:{uuid.uuid4()}", types=types)
        with suppress(OSError):
            calling.sendto(probe.encode(), group)


def _is_camera(device: DiscoveredDevice) -> bool:
    """Printers and projectors answer such calls, too."""
    return "NetworkVideoTransmitter" in device.types or any(
        scope.startswith("onvif://www.onvif.org/") for scope in device.scopes
    )


def _found(device: DiscoveredDevice, sender: str) -> Found | None:
    """The camera at the address from which it answered, None if it names nowhere to ask."""
    with suppress(ValueError):
        named = [parts for parts in map(urlsplit, device.xaddrs) if parts.scheme in {"http", "https"}]
        if named:
            best = next((parts for parts in named if parts.hostname == sender), named[0])
            where = f"{sender}:{best.port}" if best.port else sender
            return Found(
                address=sender,
                service=urlunsplit((best.scheme, where, best.path or "/onvif/device_service", "", "")),
                name=unquote(device.name),
                hardware=unquote(device.hardware),
                location=unquote(device.location),
            )
    return None


def _clock_ahead_s(client: OnvifClient) -> float | None:
    with suppress(OnvifError):
        theirs = SystemDateTime.from_dict(client.get_system_date_time()).utc
        if theirs:
            return (theirs - datetime.now(UTC)).total_seconds()
    return None


def _streams(client: OnvifClient) -> Iterator[Stream]:
    known = set()
    for profile in client.get_profiles():
        encoder: dict[str, Any] = profile.get("video_encoder") or {}
        if not encoder:
            continue
        url = client.get_stream_uri(profile_token=profile["token"])
        if url in known:
            continue
        known.add(url)
        yield Stream(
            profile=profile.get("name") or profile["token"],
            url=url,
            source=(profile.get("video_source") or {}).get("source_token", ""),
            codec=encoder.get("encoding", ""),
            width=encoder.get("width") or 0,
            height=encoder.get("height") or 0,
            rate_per_s=float(encoder.get("fps_limit") or 0),
            key_every=encoder.get("gop") or 0,
        )
