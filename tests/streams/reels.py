"""Packets made on the spot as a player hands them on: of any codec, over any container; or blank ones of any time."""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import av
import numpy as np

from streams.packets import Coding, Packet

NOON = datetime(2026, 4, 5, 12, tzinfo=UTC)
RATE = 25
BARE = Coding(codec="h264", width=64, height=48, time_base=Fraction(1, 90_000), rate=Fraction(RATE))


def make_packet(
    index: int, *, is_key: bool = False, take: int = 0, size: int = 100, at_s: float | None = None
) -> Packet:
    """A packet that nobody decodes, one of 25 a second unless `at_s` says when."""
    stream_s = index / RATE if at_s is None else at_s
    return Packet(
        data=bytes(size),
        is_key=is_key,
        index=index,
        take=take,
        coding=BARE,
        pts=round(stream_s * 90_000),
        dts=None,
        duration=0,
        stream_s=stream_s,
        monotonic_s=1000 + stream_s,
        utc=NOON + timedelta(seconds=stream_s),
    )


def encode(
    codec: str = "libx264",
    *,
    frames: int = 100,
    gop: int = 25,
    size: tuple[int, int] = (192, 144),
    container: str = "mpegts",
    options: Mapping[str, str] | None = None,
    rotation: int = 0,
) -> bytes:
    """A film in which a bar walks; `mpegts` carries start codes as RTSP does, `mp4` lengths."""
    width, height = size
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=RATE)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.options = {"g": str(gop), "threads": "1", **_steady(codec, gop), **(options or {})}
        if rotation:
            stream.set_display_rotation(rotation)
        for number in range(frames):
            picture = np.full((height, width, 3), 60, np.uint8)
            left = number * 8 % (width - 16)
            picture[:, left : left + 16] = (220, 200, 40)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file.getvalue()


def _steady(codec: str, gop: int) -> dict[str, str]:
    """Key frames where they are wanted and nowhere else."""
    settings = {"libx264": "scenecut=0", "libx265": f"log-level=none:keyint={gop}:pools=1:scenecut=0"}
    return {f"{codec[3:]}-params": settings[codec]} if codec in settings else {}


def read(film: bytes, *, format: str | None = None) -> tuple[Packet, ...]:  # noqa: A002 - as PyAV names it
    """The packets of a film as a player stamps them."""
    with av.open(io.BytesIO(film), format=format) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        coding = Coding(
            codec=context.codec.canonical_name,
            width=context.width,
            height=context.height,
            time_base=stream.time_base,
            extradata=bytes(context.extradata or b""),
            rate=stream.average_rate,
        )
        sent = [packet for packet in container.demux(stream) if packet.size]
        first = min(packet.pts for packet in sent)
        return tuple(_stamped(packet, number, coding, first) for number, packet in enumerate(sent))


def _stamped(packet: av.Packet, index: int, coding: Coding, first: int) -> Packet:
    stream_s = float((packet.pts - first) * coding.time_base)
    return Packet(
        data=bytes(packet),
        is_key=packet.is_keyframe,
        index=index,
        take=0,
        coding=coding,
        pts=packet.pts,
        dts=packet.dts,
        duration=packet.duration or 0,
        stream_s=stream_s,
        monotonic_s=1000 + index / RATE,
        utc=NOON + timedelta(seconds=index / RATE),
    )


def follow(reels: Iterable[Sequence[Packet]], *, new_take: bool = True) -> tuple[Packet, ...]:
    """One reel after the other as of one camera; `new_take`: each is a connection of its own."""
    joined: list[Packet] = []
    for number, reel in enumerate(reels):
        begins, begins_s = len(joined), max((packet.stream_s for packet in joined), default=-1 / RATE) + 1 / RATE
        joined += [
            replace(
                packet,
                index=begins + packet.index,
                take=number if new_take else 0,
                stream_s=begins_s + packet.stream_s,
                monotonic_s=packet.monotonic_s + begins_s,
                utc=packet.utc + timedelta(seconds=begins_s),
                coding=packet.coding if new_take else replace(packet.coding, extradata=b""),
            )
            for packet in reel
        ]
    return tuple(joined)


def without_tables(jpeg: bytes) -> bytes:
    """Without its Huffman tables, as USB cameras send them: everybody knows the usual ones (ISO/IEC 10918-1, K.3)."""
    start_of_scan, huffman_tables = 0xDA, 0xC4
    at, kept = 2, jpeg[:2]
    while jpeg[at + 1] != start_of_scan:
        end = at + 2 + int.from_bytes(jpeg[at + 2 : at + 4])
        kept += b"" if jpeg[at + 1] == huffman_tables else jpeg[at:end]
        at = end
    return kept + jpeg[at:]
