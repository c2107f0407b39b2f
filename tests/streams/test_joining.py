"""A key frame in pieces is put together again; every other packet passes as it is."""

from dataclasses import replace
from fractions import Fraction

import av
import pytest

from streams.ffmpeg import Sent
from streams.joining import Joiner, is_continuation
from tests.streams.reels import BARE

SPS, PPS = b"\0\0\0\1\x67\x42\x00\x15", b"\0\0\0\1\x68\xce\x3c\x80"
FIRST, LATER = b"\0\0\1\x65\x88\x84", b"\0\0\1\x65\x01\x84"
DELTA, DELTA_LATER = b"\0\0\1\x41\x9a\x00", b"\0\0\1\x41\x01\x00"


def packet(data: bytes, *, is_key: bool = False, pts: int | None = None) -> Sent:
    made: Sent = av.Packet(data)  # type: ignore[assignment]
    made.is_keyframe, made.pts, made.dts, made.time_base = is_key, pts, pts, Fraction(1, 90_000)
    return made


def joined(packets: list[Sent], codec: str = "h264", extradata: bytes = b"") -> list[tuple[bytes, bool, int | None]]:
    joiner = Joiner(replace(BARE, codec=codec, extradata=extradata))
    whole = [each for one in packets for each in joiner.join(one)] + list(joiner.rest())
    return [(bytes(each), each.is_keyframe, each.pts) for each in whole]


def test_pieces_of_a_key_frame_become_one_packet() -> None:
    pieces = [
        packet(SPS + PPS + FIRST, is_key=True),
        packet(SPS + PPS + LATER, is_key=True, pts=0),
        packet(DELTA, pts=6000),
        packet(SPS + PPS + FIRST, is_key=True, pts=12000),
        packet(SPS + PPS + LATER, is_key=True, pts=12000),
        packet(SPS + PPS + LATER, is_key=True, pts=12000),
    ]
    assert joined(pieces) == [
        (SPS + PPS + FIRST + SPS + PPS + LATER, True, 0),
        (DELTA, False, 6000),
        (SPS + PPS + FIRST + (SPS + PPS + LATER) * 2, True, 12000),
    ]


def test_a_piece_without_its_beginning_is_no_key_frame() -> None:
    assert joined([packet(SPS + PPS + LATER, is_key=True, pts=0)]) == [(SPS + PPS + LATER, False, 0)]


def test_pieces_are_joined_also_where_a_stream_begins_to_be_cut_in_its_middle() -> None:
    pieces = [packet(data, is_key=True, pts=pts) for pts in range(3) for data in (FIRST, LATER)[: pts + 1]]
    assert [(data, is_key) for data, is_key, _ in joined(pieces)] == [
        (FIRST, True),
        (FIRST, True),
        (LATER, False),
        (FIRST + LATER, True),
    ]


def test_packets_with_lengths_instead_of_start_codes_are_left_alone() -> None:
    pieces = [packet(FIRST, is_key=True, pts=0), packet(LATER, is_key=True, pts=0)]
    assert joined(pieces, extradata=b"\x01\x42") == [(FIRST, True, 0), (LATER, True, 0)]


def test_whole_pictures_pass_without_waiting_once_that_is_known() -> None:
    joiner = Joiner(BARE)
    assert list(joiner.join(packet(SPS + FIRST, is_key=True, pts=0))) == []
    assert len(list(joiner.join(packet(DELTA, pts=1)))) == 2
    assert len(list(joiner.join(packet(SPS + FIRST, is_key=True, pts=2)))) == 1


@pytest.mark.parametrize(
    ("data", "codec", "expected"),
    [
        (FIRST, "h264", False),
        (LATER, "h264", True),
        (DELTA, "h264", False),
        (DELTA_LATER, "h264", True),
        (SPS + PPS, "h264", False),
        (b"\0\0\1\x26\x01\x80", "hevc", False),
        (b"\0\0\1\x26\x01\x00", "hevc", True),
        (b"\0\0\1\x40\x01\x0c\0\0\1\x02\x01\x70", "hevc", True),
        (b"", "h264", False),
        (b"\0\0\1", "h264", False),
        (b"\0\0\1\x65", "h264", False),
    ],
)
def test_the_slice_header_tells_whether_a_picture_begins(data: bytes, codec: str, expected: bool) -> None:
    assert is_continuation(data, codec) is expected
