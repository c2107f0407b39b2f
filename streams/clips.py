"""Clips: packets of a ring put into a container as they are, so that anybody can play what the camera sent.

Nothing is decoded and encoded again. H.264 and H.265, which a camera sends with start codes, carry lengths in MP4
instead; the units between them stay bit for bit what they were. So H.265 goes by the name `hev1`, which keeps the
parameter sets within packets; Apple's own player wants `hvc1` and without them, so it does not play these. A clip of
H.264 in open groups of pictures, which hardly any camera sends, may begin within one: its first packets let go of
pictures that it does not have, which is an error to Chromium and nothing to desktop players.
"""

import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from itertools import dropwhile
from typing import NamedTuple

import av
from av.error import FFmpegError
from av.video.stream import VideoStream

from streams.errors import NotCuttable
from streams.ffmpeg import packet_of
from streams.packets import Coding, Packet
from streams.parameters import ParameterReader, are_alike, are_whole, is_refresh, picture_size, template


class _Container(NamedTuple):
    name: str
    media_type: str
    options: Mapping[str, str]


_MP4 = _Container("mp4", "video/mp4", {"movflags": "faststart"})
_WEBM = _Container("webm", "video/webm", {"cues_to_front": "1"})
_MATROSKA = _Container("matroska", "video/matroska", {"cues_to_front": "1"})
_CONTAINERS = {"h264": _MP4, "hevc": _MP4, "av1": _MP4, "vp8": _WEBM, "vp9": _WEBM}
"""What browsers play where they play the codec at all; the rest goes where every desktop player finds it."""

_TICKS_PER_S = 90_000
_DEFAULT_RATE = Fraction(25)
_MOST_DRIFT_S = 0.5


class Break(StrEnum):
    """Why packets do not continue each other."""

    CONNECTION = "connection"
    CODING = "coding"
    GAP = "gap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A file, and what it shows: `packets` frames of stream time `begins_s` to `ends_s`, the first taken at `utc`.

    These are the packets number `first` to `last` of the camera's connection number `take`, in `codec`; the last came
    at `until`. `encoder` made them of the camera's raw pictures; empty where the camera did.

    `left_out` counts packets that are not in it: those which do not continue the ones around the event, because of
    `broken_by`, and pictures shown before the first key frame, which nobody can decode.
    """

    data: bytes = field(repr=False)
    media_type: str
    width: int
    height: int
    packets: int
    begins_s: float
    ends_s: float
    utc: datetime
    until: datetime
    first: int
    last: int
    take: int
    codec: str
    encoder: str = ""
    left_out: int = 0
    broken_by: tuple[Break, ...] = ()

    @property
    def seconds(self) -> float:
        """From the first picture to the last."""
        return self.ends_s - self.begins_s


def cut(packets: Sequence[Packet], *, around: int | None = None) -> Clip:
    """A clip of these packets from their first key frame on.

    Where they do not continue each other it holds the part with packet number `around` (its `index`), or the longest.
    Raises NotCuttable.
    """
    parts, breaks = _parts(packets)
    if not parts:
        raise NotCuttable("no clip: there is no key frame among the packets")
    chosen = next((n for n, part in enumerate(parts) if around is not None and _holds(part, around)), None)
    if chosen is None:
        chosen = max(range(len(parts)), key=lambda n: len(parts[n]))
    part = _without_leading(parts[chosen])
    before = breaks[chosen : chosen + 1] if chosen else []
    container = _CONTAINERS.get(part[0].coding.codec, _MATROSKA)
    data, (width, height) = _packed(part, container)
    times = [packet.stream_s for packet in part]
    return Clip(
        data=data,
        media_type=container.media_type,
        width=width,
        height=height,
        packets=len(part),
        begins_s=min(times),
        ends_s=max(times),
        utc=part[0].utc,
        until=part[-1].utc,
        first=part[0].index,
        last=part[-1].index,
        take=part[0].take,
        codec=part[0].coding.codec,
        encoder=part[0].coding.encoder,
        left_out=len(packets) - len(part),
        broken_by=tuple(before + breaks[chosen + 1 : chosen + 2]),
    )


def _holds(part: Sequence[Packet], index: int) -> bool:
    return part[0].index <= index <= part[-1].index


def _without_leading(part: Sequence[Packet]) -> list[Packet]:
    """An open group's first B-frames are built on what came before the clip; browsers give up on them."""
    first, *rest = part
    return [first, *dropwhile(lambda packet: not packet.is_key and packet.stream_s < first.stream_s, rest)]


def _parts(packets: Sequence[Packet]) -> tuple[list[list[Packet]], list[Break]]:
    """The packets in parts that can be played in one go, and for each part what separates it from the one before."""
    parts: list[list[Packet]] = []
    breaks: list[Break] = []
    joint = _Joint()
    is_open = False
    cause = Break.GAP
    for packet in packets:
        if found := joint.test(packet):
            is_open, cause = False, found
        if packet.is_key and not is_open:
            parts.append([])
            breaks.append(cause)
            is_open = True
        if is_open:
            parts[-1].append(packet)
    return parts, breaks


class _Joint:
    """Tells whether a packet continues the one before."""

    def __init__(self) -> None:
        self._last: Packet | None = None
        self._reader: ParameterReader | None = None
        self._sets = b""

    def test(self, packet: Packet) -> Break | None:
        last, self._last = self._last, packet
        is_new_coding = last is None or (packet.coding is not last.coding and packet.coding != last.coding)
        if is_new_coding or self._reader is None:
            self._reader = ParameterReader(packet.coding)
        own = self._reader.read(packet) if packet.is_key else b""
        before, self._sets = self._sets, own or self._sets
        if last is None:
            return None
        if packet.take != last.take:
            return Break.CONNECTION
        if is_new_coding or (own and before and not are_alike(packet.coding.codec, own, before)):
            return Break.CODING
        return Break.GAP if packet.index != last.index + 1 else None


def _packed(part: Sequence[Packet], container: _Container) -> tuple[bytes, tuple[int, int]]:
    """The file, and the size of its pictures: by the first packet's own parameter sets, else by the stream's.

    A container takes damaged sets too, and then nobody can open it, so that is tried.
    """
    coding = part[0].coding
    own = ParameterReader(coding).read(part[0])
    for sets in dict.fromkeys([own, coding.extradata] if are_whole(coding.codec, own) else [coding.extradata]):
        size = picture_size(part[0], sets)
        data = _mux(part, container, sets, size)
        if _opens(data):
            return data, size
    raise NotCuttable("no clip: the parameter sets of its first key frame are missing or damaged")


def _opens(data: bytes) -> bool:
    try:
        av.open(io.BytesIO(data)).close()
    except FFmpegError:
        return False
    return True


def _mux(part: Sequence[Packet], kind: _Container, sets: bytes, size: tuple[int, int]) -> bytes:
    """The file, written in memory: a faststart file is written twice, which no flash card should have to bear."""
    try:
        with os.fdopen(os.memfd_create("clip"), "rb") as memory:
            path = f"/proc/self/fd/{memory.fileno()}"
            with av.open(path, "w", format=kind.name, options=dict(kind.options)) as container:
                stream = container.add_stream_from_template(template(part[0].coding.codec), opaque=True)
                _describe(stream, part[0].coding, sets, size)
                _write(container, stream, part)
            return memory.read()
    except (FFmpegError, ValueError) as error:
        reason = error.strerror if isinstance(error, FFmpegError) else error
        raise NotCuttable(f"no clip: {part[0].coding.codec} does not go into {kind.name} ({reason})") from None


def _describe(stream: VideoStream, coding: Coding, sets: bytes, size: tuple[int, int]) -> None:
    context = stream.codec_context
    context.width, context.height = size
    if sets:
        context.extradata = sets
    if coding.pixels:
        context.pix_fmt = coding.pixels
    if coding.quarters:
        stream.set_display_rotation(90 * coding.quarters)
    stream.time_base = Fraction(1, _TICKS_PER_S)


def _write(container: av.container.OutputContainer, stream: VideoStream, part: Sequence[Packet]) -> None:
    pts = presentation_ticks(part)
    dts = decoding_ticks(pts)
    rate = part[0].coding.rate or _DEFAULT_RATE
    ends = [*dts[1:], dts[-1] + round(_TICKS_PER_S / rate)]
    for packet, shown, decoded, end in zip(part, pts, dts, ends, strict=True):
        sent = packet_of(packet.data)
        sent.stream, sent.time_base = stream, Fraction(1, _TICKS_PER_S)
        sent.pts, sent.dts, sent.duration = shown, decoded, end - decoded
        sent.is_keyframe = packet is part[0] or (packet.is_key and is_refresh(packet))
        container.mux_one(sent)


def presentation_ticks(part: Sequence[Packet]) -> list[int]:
    """When each packet is shown, in 1/90000 s from the first picture on.

    As the camera says; where it says nothing, or jumps, as stream time has it.
    """
    stream_s = [packet.stream_s for packet in part]
    own_s = [float(packet.pts * packet.coding.time_base) for packet in part if packet.pts is not None]
    times_s = stream_s
    if len(own_s) == len(part):
        drifts = [own - ours for own, ours in zip(own_s, stream_s, strict=True)]
        if max(drifts) - min(drifts) <= _MOST_DRIFT_S:
            times_s = own_s
    first_s = min(times_s)
    return _apart([round((time_s - first_s) * _TICKS_PER_S) for time_s in times_s])


def decoding_ticks(pts: Sequence[int]) -> list[int]:
    """Decoding times to these presentation times: strictly growing, none after its picture is shown.

    Cameras leave them out, or give ones that a container refuses. Decoding goes at the pace of presentation, early by
    as much as B-frames are reordered.
    """
    ordered = sorted(pts)
    early = max(decoded - shown for decoded, shown in zip(ordered, pts, strict=True))
    return [time - early for time in ordered]


def _apart(ticks: Sequence[int]) -> list[int]:
    """No two at the same time: a camera's clock may stand still."""
    spread = list(ticks)
    latest = -1
    for number in sorted(range(len(ticks)), key=lambda number: ticks[number]):
        latest = spread[number] = max(ticks[number], latest + 1)
    return spread
