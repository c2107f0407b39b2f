"""Clips: bit for bit what the camera sent, from early enough on, and playable by whoever gets them."""

import io
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import av
import pytest
from av.video.frame import PictureType

from streams.clips import Break, Clip, cut
from streams.errors import NotCuttable
from streams.packets import Packet
from streams.ring import PacketRing
from tests.streams.reels import BARE, RATE, encode, follow, make_packet, read

H264 = {"bf": "2"}
OPEN = {"bf": "2", "x264-params": "open-gop=1:scenecut=0"}


@pytest.fixture(scope="module")
def h264() -> tuple[Packet, ...]:
    """Four seconds with B-frames and a key frame a second, with start codes and parameter sets as over RTSP."""
    return read(encode("libx264", options=H264))


@pytest.fixture(scope="module")
def hevc() -> tuple[Packet, ...]:
    return read(encode("libx265"))


def units(data: bytes) -> list[bytes]:
    """NAL units between start codes (ITU-T H.264 and H.265, annex B)."""
    return [unit.rstrip(b"\0") for unit in data.split(b"\0\0\1") if unit.rstrip(b"\0")]


def prefixed_units(data: bytes) -> list[bytes]:
    """NAL units behind lengths of four bytes (ISO/IEC 14496-15)."""
    found = []
    while data:
        length = int.from_bytes(data[:4], "big")
        found.append(data[4 : 4 + length])
        data = data[4 + length :]
    return found


def sent(clip: Clip) -> list[av.Packet]:
    with av.open(io.BytesIO(clip.data)) as container:
        return [packet for packet in container.demux(video=0) if packet.size]


def decoded(data: bytes) -> list[av.VideoFrame]:
    with av.open(io.BytesIO(data)) as container:
        return list(container.decode(video=0))


def pixels(frames: Sequence[av.VideoFrame]) -> list[bytes]:
    return [frame.to_ndarray(format="gray").tobytes() for frame in frames]


def boxes_of(data: bytes) -> list[str]:
    """The names of an MP4's outer boxes, in order."""
    names = []
    while data:
        size = int.from_bytes(data[:4], "big")
        names.append(data[4:8].decode())
        data = data[size:]
    return names


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_every_unit_in_the_clip_is_the_cameras_bit_for_bit(codec: str) -> None:
    packets = read(encode(codec, options=H264 if codec == "libx264" else None))
    clip = cut(packets)
    assert [prefixed_units(bytes(each)) for each in sent(clip)] == [units(packet.data) for packet in packets]
    assert (clip.media_type, clip.packets, clip.left_out) == ("video/mp4", len(packets), 0)


@pytest.mark.parametrize(
    ("codec", "container", "media_type"),
    [
        ("libx264", "mp4", "video/mp4"),
        ("libx265", "mp4", "video/mp4"),
        ("mjpeg", "matroska", "video/matroska"),
        ("mpeg4", "avi", "video/matroska"),
        ("libvpx", "webm", "video/webm"),
    ],
)
def test_packets_without_start_codes_are_copied_as_they_are(codec: str, container: str, media_type: str) -> None:
    packets = read(encode(codec, container=container, frames=30, gop=10))
    clip = cut(packets)
    assert [bytes(each) for each in sent(clip)] == [packet.data for packet in packets]
    assert clip.media_type == media_type
    assert len(decoded(clip.data)) == 30


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_the_clip_shows_the_same_pictures_at_the_same_times_also_with_b_frames(codec: str) -> None:
    film = encode(codec, options=H264 if codec == "libx264" else None)
    original, shown = decoded(film), decoded(cut(read(film)).data)
    assert pixels(shown) == pixels(original)
    assert {PictureType(frame.pict_type) for frame in original} >= {PictureType.I, PictureType.B}
    begins = original[0].time
    assert [frame.time for frame in shown] == [pytest.approx(frame.time - begins) for frame in original]


def test_h265_is_decoded_completely_since_no_browser_of_debian_plays_it(hevc: tuple[Packet, ...]) -> None:
    """Chromium on Debian has no H.265 decoder: it can only be said that nothing is missing or damaged."""
    clip = cut(hevc)
    with av.open(io.BytesIO(clip.data)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.codec_tag) == ("hevc", "hev1")
        frames = list(container.decode(stream))
    assert [frame.is_corrupt for frame in frames] == [False] * len(hevc)
    assert {(frame.width, frame.height) for frame in frames} == {(192, 144)}


def test_a_player_finds_the_index_before_the_pictures(h264: tuple[Packet, ...]) -> None:
    names = boxes_of(cut(h264).data)
    assert names.index("moov") < names.index("mdat")


@pytest.mark.parametrize("wanted_s", [0.0, 0.5, 1.0, 1.99, 2.96, 3.9])
def test_a_clip_from_a_ring_is_never_shorter_than_was_asked(h264: tuple[Packet, ...], wanted_s: float) -> None:
    ring = PacketRing(seconds=60, max_bytes=10**8)
    for packet in h264:
        ring.append(packet)
    clip = cut(ring.spanning(wanted_s))
    assert clip.begins_s <= wanted_s < clip.begins_s + 1 + 1 / RATE
    assert clip.ends_s == max(packet.stream_s for packet in h264)
    assert clip.seconds == pytest.approx(len(decoded(clip.data)) / RATE - 1 / RATE)


@pytest.mark.parametrize("change", ["all", "dts", "late", "equal", "jumping", "none"])
def test_times_that_a_container_would_refuse_are_put_right(h264: tuple[Packet, ...], change: str) -> None:
    spoil = {
        "all": lambda packet: replace(packet, pts=None, dts=None),
        "dts": lambda packet: replace(packet, dts=None),
        "late": lambda packet: replace(packet, dts=packet.pts + 9000),
        "equal": lambda packet: replace(packet, dts=0),
        "jumping": lambda packet: replace(packet, pts=packet.pts + (10**9 if packet.index > 50 else 0)),
        "none": lambda packet: packet,
    }[change]
    clip = cut([spoil(packet) for packet in h264])
    times = [frame.time for frame in decoded(clip.data)]
    assert times == [pytest.approx(number / RATE, abs=1e-3) for number in range(len(h264))]
    assert all(one.dts < other.dts for one, other in pairwise(sent(clip)))
    assert all(each.dts <= each.pts for each in sent(clip))


@pytest.mark.parametrize("still_s", [1.28, 3.0])
def test_a_camera_whose_clock_stands_still_or_leaves_a_hole_gives_a_clip_all_the_same(
    h264: tuple[Packet, ...], still_s: float
) -> None:
    moved = [replace(packet, pts=None, stream_s=still_s if packet.index > 30 else packet.stream_s) for packet in h264]
    assert len(decoded(cut(moved).data)) == len(h264)


@pytest.mark.parametrize(("around", "holds"), [(0, 0), (50, 0), (99, 0), (100, 1), (199, 1)])
def test_a_new_connection_ends_the_clip_and_the_part_with_the_event_is_kept(around: int, holds: int) -> None:
    packets = follow([read(encode()), read(encode(size=(208, 160)))])
    clip = cut(packets, around=around)
    assert (clip.packets, clip.left_out, clip.broken_by) == (100, 100, (Break.CONNECTION,))
    assert (clip.width, clip.height) == [(192, 144), (208, 160)][holds]
    assert clip.utc == packets[100 * holds].utc
    assert {(frame.width, frame.height) for frame in decoded(clip.data)} == {(clip.width, clip.height)}


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
@pytest.mark.parametrize("around", [10, 40])
def test_a_change_of_resolution_that_only_the_packets_tell_of_ends_the_clip(codec: str, around: int) -> None:
    film, other = read(encode(codec, frames=30)), read(encode(codec, frames=30, size=(208, 160)))
    same = [replace(packet, coding=film[0].coding) for packet in other]
    packets = follow([film, same], new_take=False)
    assert len({packet.coding for packet in packets}) == 1
    clip = cut(packets, around=around)
    assert (clip.packets, clip.left_out, clip.broken_by) == (30, 30, (Break.CODING,))
    assert (clip.width, clip.height) == ((192, 144) if around < 30 else (208, 160))
    with av.open(io.BytesIO(clip.data)) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (clip.width, clip.height)
        assert len(list(container.decode(video=0))) == 30


def test_packets_after_a_gap_wait_for_the_next_key_frame(h264: tuple[Packet, ...]) -> None:
    with_gap = [packet for packet in h264 if packet.index not in range(55, 60)]
    before, after = cut(with_gap, around=30), cut(with_gap, around=90)
    assert (before.packets, before.broken_by) == (55, (Break.GAP,))
    assert (after.packets, after.left_out, after.broken_by) == (25, 70, (Break.GAP,))
    assert len(decoded(after.data)) == 25


def test_without_an_event_the_longest_part_is_cut() -> None:
    packets = follow([read(encode(frames=30)), read(encode(frames=60)), read(encode(frames=10))])
    clip = cut(packets)
    assert (clip.packets, clip.left_out) == (60, 40)
    assert clip.broken_by == (Break.CONNECTION, Break.CONNECTION)


def test_parameter_sets_that_only_the_stream_description_has_go_into_the_clip(h264: tuple[Packet, ...]) -> None:
    """Some cameras send them in the answer to DESCRIBE and never again."""
    slices = {1, 5}
    bare = [
        replace(packet, data=b"".join(b"\0\0\0\1" + unit for unit in units(packet.data) if unit[0] & 31 in slices))
        for packet in h264
    ]
    clip = cut(bare)
    assert len(decoded(clip.data)) == len(h264)
    assert [prefixed_units(bytes(each)) for each in sent(clip)] == [units(packet.data) for packet in bare]


@pytest.mark.parametrize(("codec", "lost"), [("libx264", 7), ("libx264", 8), ("libx265", 32), ("libx265", 34)])
def test_a_parameter_set_lost_on_the_way_costs_no_picture_where_the_stream_description_has_it(
    codec: str, lost: int
) -> None:
    packets = read(encode(codec))

    def kind(unit: bytes) -> int:
        return unit[0] & 31 if codec == "libx264" else unit[0] >> 1 & 63

    left = b"".join(b"\0\0\1" + unit for unit in units(packets[0].data) if kind(unit) != lost)
    assert len(decoded(cut([replace(packets[0], data=left), *packets[1:]]).data)) == len(packets)


def test_what_nobody_could_open_is_no_clip(h264: tuple[Packet, ...]) -> None:
    without = [replace(packet, coding=replace(packet.coding, extradata=b"")) for packet in h264]
    left = b"".join(b"\0\0\1" + unit for unit in units(h264[0].data) if unit[0] & 31 != 8)
    with pytest.raises(NotCuttable, match="parameter sets of its first key frame are missing or damaged"):
        cut([replace(without[0], data=left), *without[1:20]])


def test_players_are_not_sent_to_key_frames_inside_open_groups() -> None:
    packets = read(encode(options=OPEN))
    assert [packet.is_key for packet in packets].count(True) == 4
    with av.open(io.BytesIO(cut(packets).data)) as container:
        entries = container.streams.video[0].index_entries
        assert [entry.is_keyframe for entry in entries] == [True] + [False] * 99


def test_pictures_built_on_what_came_before_the_clip_are_left_out(hevc: tuple[Packet, ...]) -> None:
    past = hevc[next(packet.index for packet in hevc if packet.is_key and packet.stream_s > 1) :]
    leading = [packet for packet in past if packet.stream_s < past[0].stream_s]
    clip = cut(past)
    assert (clip.begins_s, clip.left_out, bool(leading)) == (past[0].stream_s, len(leading), True)
    assert len(decoded(clip.data)) == clip.packets


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_camera_mounted_askew_is_shown_upright(h264: tuple[Packet, ...], quarters: int) -> None:
    turned = [replace(packet, coding=replace(packet.coding, quarters=quarters)) for packet in h264]
    assert decoded(cut(turned).data)[0].rotation % 360 == 90 * quarters


def test_a_clip_of_one_picture_lasts_a_frame(h264: tuple[Packet, ...]) -> None:
    clip = cut(h264[:1])
    with av.open(io.BytesIO(clip.data)) as container:
        assert container.duration == pytest.approx(av.time_base / RATE, rel=0.05)


@pytest.mark.parametrize(
    ("packets", "reason"),
    [
        ([], "no key frame"),
        ([make_packet(number) for number in range(9)], "no key frame"),
        ([replace(make_packet(0, is_key=True), coding=replace(BARE, codec="nonsense"))], "nonsense"),
        ([replace(make_packet(0, is_key=True), coding=replace(BARE, codec="rawvideo"))], "rawvideo"),
    ],
)
def test_what_no_clip_can_be_made_of_is_refused_in_one_line(packets: list[Packet], reason: str) -> None:
    with pytest.raises(NotCuttable, match=reason) as caught:
        cut(packets)
    assert "\n" not in str(caught.value)


def test_damaged_packets_are_kept_or_refused_but_break_nothing(h264: tuple[Packet, ...]) -> None:
    for step in range(1, 60):
        damaged = [
            replace(packet, data=_spoilt(packet.data, step)) if packet.index % 7 == step % 7 else packet
            for packet in h264
        ]
        clip = cut(damaged)
        assert clip.packets + clip.left_out == len(h264)


def _spoilt(data: bytes, step: int) -> bytes:
    match step % 4:
        case 0:
            return data[: len(data) // 3]
        case 1:
            return b""
        case 2:
            return bytes(byte ^ (0x10 if number % step == 0 else 0) for number, byte in enumerate(data))
        case _:
            return b"\xff" * len(data)
