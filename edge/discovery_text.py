"""What was found on the network, as text: a list, JSON, or cameras ready for a box's configuration.

Everything here was said by devices that nobody has vouched for: nothing of it may end a line, steer a terminal, name a
variable of the environment or carry a password into a file.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from edge.discover import Asked, Found, Stream

LOGIN = "${CAMERA_LOGIN}"
PASSWORD = "${CAMERA_PASSWORD}"  # noqa: S105 - the name of one

HEAD = """\
# For the configuration. Give each camera the id it has in the centre's register, draw its zones, choose its rules.
# The login goes into /etc/teawatch/secrets.env as CAMERA_LOGIN=user:password; in the password, write % @ : / ? # as
# %25 %40 %3A %2F %3F %23.
cameras:
"""
ZONE_AND_RULE = """\
    zones: [{id: everything, polygon: [[0, 0], [1, 0], [1, 1], [0, 1]]}]
    rules: [{id: people, rule: intrusion, zone: everything}]
"""

LEAST_DETECTION_WIDTH = 640
"""A narrower stream shows too little to a detector."""

LONGEST_KEY_DISTANCE_S = 2.0
WORTH_SAYING_S = 2.0
"""A camera's clock is read to a second or so; only what is further off is said."""

_SECRET = re.compile(r"(?i)((?:pass(?:word|wd)?|pwd|token)=)[^&;/_]*")
_PLAYABLE = re.compile(r"rtsps?://[!-~]+")


def as_list(cameras: Iterable[Found]) -> str:
    """A line for each, of what it said when it was called."""
    return "".join(
        f"{each.address}  {_plain(each.name or '-')}  {_plain(each.hardware or '-')}  {_plain(each.location or '-')}"
        f"  {_plain(each.service)}\n"
        for each in cameras
    )


def as_json(found: Iterable[Found], asked: Iterable[Asked]) -> str:
    """One JSON list with an object for each camera; `streams` and `use` only of those that were asked."""
    answers = {each.found: each for each in asked}
    return json.dumps([_object(each, answers.get(each)) for each in found], ensure_ascii=False) + "\n"


def as_yaml(asked: Iterable[Asked]) -> str:
    """Cameras as `read_config` takes them; what kept one from telling its streams is a comment."""
    used: set[str] = set()
    parts = []
    for each in asked:
        parts.append(f"  # {_about(each)}\n")
        lenses = list(_lenses(each.streams))
        if each.problem or not lenses:
            parts.append(f"  # {_plain(each.problem or 'has no RTSP stream')}\n")
        for number, streams in enumerate(lenses, 1):
            name = _id(each, f"-{number}" if len(lenses) > 1 else "", used)
            parts.append(_entry(name, streams))
    return HEAD + "\n".join(parts)


def configurable(stream: Stream) -> str | None:
    """The stream's address with variables in the place of user and password; None if it is none that can be played."""
    if not _PLAYABLE.fullmatch(stream.url) or "${" in stream.url:
        return None
    try:
        parts = urlsplit(stream.url)
        where = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    path = _SECRET.sub(rf"\g<1>{PASSWORD}", parts.path)
    query = _SECRET.sub(rf"\g<1>{PASSWORD}", parts.query)
    return urlunsplit((parts.scheme, f"{LOGIN}@{where}{port}", path, query, ""))


def choose(streams: Sequence[Stream]) -> tuple[Stream, Stream | None]:
    """Which of a lens's streams to detect on, and which one evidence is cut from where that is another.

    Evidence is worth every pixel. A detector makes its picture small anyway, so it gets the smallest stream that is
    wide enough, or else the widest of the others.
    """
    ranked = sorted(streams, key=lambda each: each.width * each.height)
    *others, main = ranked
    if not others:
        return main, None
    wide_enough = [each for each in others if each.width >= LEAST_DETECTION_WIDTH]
    return (wide_enough[0] if wide_enough else others[-1]), main


def _lenses(streams: Iterable[Stream]) -> Iterator[list[Stream]]:
    """Streams that can be played, by the lens they show."""
    playable = sorted((each for each in streams if configurable(each)), key=lambda each: each.source)
    for _, same in groupby(playable, key=lambda each: each.source):
        yield list(same)


def _entry(name: str, streams: Sequence[Stream]) -> str:
    detect, evidence = choose(streams)
    lines = [f"  - id: {name}\n", *_address("url", detect)]
    if evidence:
        lines += _address("main_url", evidence)
    lines += [line for each in streams if each not in {detect, evidence} for line in _address("# another:", each)]
    return "".join(lines) + ZONE_AND_RULE


def _address(key: str, stream: Stream) -> Iterator[str]:
    yield f"    # {_kind(stream)}\n"
    yield f"    {key.removesuffix(':')}: {json.dumps(configurable(stream))}\n"


def _kind(stream: Stream) -> str:
    size = f"{stream.width}x{stream.height} " if stream.width else ""
    rate = f" {stream.rate_per_s:g} fps" if stream.rate_per_s else ""
    said = f"{size}{_plain(stream.codec) or 'unknown codec'}{rate}, profile {_plain(stream.profile)!r}"
    if stream.rate_per_s and stream.key_every / stream.rate_per_s > LONGEST_KEY_DISTANCE_S:
        said += f"; a key frame only every {stream.key_every / stream.rate_per_s:g} s: set 2 s or less in the camera"
    return said


def _about(asked: Asked) -> str:
    found = asked.found
    what = " ".join(each for each in (asked.maker, asked.model, asked.firmware) if each) or found.hardware
    said = f"{found.address}: {_plain(' '.join(each for each in (found.name, what) if each)) or 'a camera'}"
    if asked.clock_ahead_s is not None and abs(asked.clock_ahead_s) > WORTH_SAYING_S:
        way = "ahead of" if asked.clock_ahead_s > 0 else "behind"
        said += f"; its clock is {abs(asked.clock_ahead_s):.0f} s {way} this machine's"
    return said


def _id(asked: Asked, suffix: str, used: set[str]) -> str:
    """An id made of the camera's name, or of its address where the name is taken or has no Latin letter."""
    words = re.findall(r"[A-Za-z0-9]+", asked.found.name)
    by_address = f"cam-{asked.found.address.replace('.', '-')}"
    for stem in ("-".join(words)[:40].lower(), by_address):
        if stem and f"{stem}{suffix}" not in used:
            break
    name = f"{stem}{suffix}"
    number = 1
    while name in used:
        number += 1
        name = f"{stem}{suffix}-{number}"
    used.add(name)
    return name


def _object(found: Found, asked: Asked | None) -> dict[str, Any]:
    told: dict[str, Any] = asdict(found)
    if asked:
        told |= asdict(asked)
        del told["found"]
        told["streams"] = [
            {**asdict(each), "url": configurable(each), "use": use}
            for streams in _lenses(asked.streams)
            for each, use in _uses(streams)
        ]
    return told


def _uses(streams: Sequence[Stream]) -> Iterator[tuple[Stream, str]]:
    detect, evidence = choose(streams)
    for each in streams:
        yield each, "main" if each is (evidence or detect) else "sub" if each is detect else "other"


def _plain(text: str) -> str:
    """On one line, and nothing that a terminal would obey."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()
