"""Pictures out of packets: of every codec, whole or not at all, each with the stamps of its own packet."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.error import FFmpegError

from streams.decoder import Decoder
from streams.frames import Camera, Pace
from streams.images import Image
from streams.packets import Coding, Packet
from streams.pressing import JpegPress
from tests.streams.reels import encode, make_packet, read, without_tables
from tests.streams.watching import decode, watch_to_the_end

TICK = Fraction(1, 1000)


def packets_of(tmp_path: Path, codec: str, container: str, **options: object) -> list[Packet]:
    path = tmp_path / "film"
    path.write_bytes(encode(codec, container=container, **{"size": (320, 240), **options}))  # type: ignore[arg-type]
    return watch_to_the_end(Camera(id="cam-1", url=str(path), pace=Pace.FAST)).packets


@pytest.mark.parametrize(
    ("codec", "container"),
    [
        ("libx264", "mpegts"),
        ("libx264", "mp4"),
        ("libx265", "mpegts"),
        ("libx265", "mp4"),
        ("mpeg4", "avi"),
        ("mjpeg", "avi"),
        ("libsvtav1", "mp4"),
    ],
)
def test_every_codec_decodes_apart_from_its_container(tmp_path: Path, codec: str, container: str) -> None:
    packets = packets_of(tmp_path, codec, container, frames=30, gop=10)
    decoder = Decoder()
    images = decode(packets, decoder)
    assert [image.packet.index for image in images] == [
        packet.index for packet in sorted(packets, key=lambda each: each.stream_s)
    ]
    assert {image.frame().picture.shape for image in images} == {(240, 320, 3)}
    assert decoder.damaged == 0


def test_nothing_is_shown_before_the_first_key_frame(tmp_path: Path) -> None:
    packets = packets_of(tmp_path, "libx264", "mpegts", frames=30, gop=10)
    keys = [packet.index for packet in packets if packet.is_key]
    decoder = Decoder()
    images = decode(packets[3:], decoder)
    assert sorted(image.packet.index for image in images) == list(range(keys[1], 30))
    assert decoder.damaged == 0


def test_a_new_take_begins_with_a_key_frame_again(tmp_path: Path) -> None:
    packets = packets_of(tmp_path, "libx264", "mpegts", frames=30, gop=10)
    again = [replace(packet, take=1, index=packet.index + 30) for packet in packets[5:]]
    indexes = [image.packet.index for image in decode(packets[:8] + again)]
    assert sorted(indexes) == [*range(8), *range(40, 60)]


def test_a_new_coding_is_followed_and_nothing_of_the_old_one_is_lost(tmp_path: Path) -> None:
    small = packets_of(tmp_path, "libx264", "mp4", frames=10, size=(64, 48))
    large = packets_of(tmp_path, "libx265", "mp4", frames=10, size=(128, 96))
    shapes = [image.frame().picture.shape for image in decode(small + large)]
    assert shapes == [(48, 64, 3)] * 10 + [(96, 128, 3)] * 10


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_a_still_is_the_picture_of_its_key_frame_alone(tmp_path: Path, codec: str) -> None:
    packets = packets_of(tmp_path, codec, "mpegts", frames=30, gop=10)
    whole = {image.packet.index: image for image in decode(packets)}
    decoder = Decoder()
    keys = [packet for packet in packets if packet.is_key]
    for key in keys:
        still = decoder.still(key)
        assert still is not None
        assert still.packet is key
        assert np.array_equal(still.frame().picture, whole[key.index].frame().picture)
    assert decoder.decode(packets[1]) == []
    assert decoder.damaged == 0


@pytest.mark.parametrize(("codec", "container"), [("libx264", "mpegts"), ("libx265", "mpegts"), ("mjpeg", "avi")])
def test_a_glimpse_is_nearly_the_still_and_leaves_the_decoder_where_a_still_does(
    tmp_path: Path, codec: str, container: str
) -> None:
    packets = packets_of(tmp_path, codec, container, frames=30, gop=10)
    keys = [packet for packet in packets if packet.is_key]
    decoder, other = Decoder(), Decoder()
    for key in keys:
        glimpse, still = decoder.glimpse(key), other.still(key)
        assert glimpse is not None
        assert still is not None
        assert glimpse.packet is key
        apart = glimpse.luma(64, 48).astype(int) - still.luma(64, 48)
        assert np.abs(apart).mean() < 2
    assert (decoder.damaged, other.damaged) == (0, 0)
    after = [image for packet in packets for image in decoder.decode(packet)] + decoder.flush()
    assert sorted(image.packet.index for image in after) == [packet.index for packet in packets]


def test_rubbish_is_stepped_over_and_counted(tmp_path: Path) -> None:
    packets = packets_of(tmp_path, "libx264", "mp4", frames=30, gop=10)
    spoiled = [
        replace(packet, data=bytes(reversed(packet.data))) if packet.index in {4, 5, 6} else packet
        for packet in packets
    ]
    decoder = Decoder()
    images = decode(spoiled, decoder)
    assert decoder.damaged == 3
    assert len(images) == 27
    assert images[-1].packet.index == 29


def test_packets_that_give_no_picture_are_counted_though_nothing_complains(tmp_path: Path) -> None:
    packets = packets_of(tmp_path, "libx265", "mpegts", frames=60, gop=60)
    rng = np.random.default_rng(7)
    spoiled = []
    for packet in packets:
        data = bytearray(packet.data)
        if packet.index % 3 == 2:
            for at in rng.integers(6, len(data), 20):
                data[at] ^= 0xFF
        spoiled.append(replace(packet, data=bytes(data)))
    decoder = Decoder()
    images = decode(spoiled, decoder)
    assert decoder.damaged + len(images) == 60
    assert decoder.damaged > 0


def test_pictures_above_the_limit_take_no_memory_and_count_as_damaged(tmp_path: Path) -> None:
    packets = packets_of(tmp_path, "libx264", "mp4", frames=5)
    decoder = Decoder(max_pixels=320 * 240 - 1)
    assert decode(packets, decoder) == []
    assert decoder.damaged == 5


def test_an_unknown_packet_is_no_reason_to_fall_over() -> None:
    decoder = Decoder()
    assert decoder.still(make_packet(0, is_key=True)) is None
    assert decoder.damaged >= 1


@pytest.mark.parametrize("pixels", ["yuv420p", "yuvj422p", "nv12", "gray", "yuyv422", "bgr24", "yuv420p10le"])
def test_luma_is_small_and_upright_whatever_the_pixel_format(pixels: str) -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:24, :32] = 255
    content = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format=pixels)
    packet = make_packet(0)
    image = Image(content, packet)
    luma = image.luma(8, 6)
    assert (luma.shape, luma.dtype) == ((6, 8), np.uint8)
    assert luma[:3, :4].min() > 200
    assert max(luma[3:].max(), luma[:, 4:].max()) < 40
    turned = replace(packet, coding=replace(packet.coding, quarters=1))
    luma = Image(content, turned).luma(6, 8)
    assert luma.shape == (8, 6)
    assert luma[4:, :3].min() > 200
    assert luma[:4].max() < 40


def test_raw_pictures_decode_when_their_format_is_told() -> None:
    picture = np.random.default_rng(3).integers(0, 255, (48, 64, 3), np.uint8)
    coding = Coding(codec="rawvideo", width=64, height=48, time_base=Fraction(1, 1000), pixels="bgr24")
    packet = replace(make_packet(0, is_key=True), data=picture.tobytes(), coding=coding)
    image = Decoder().still(packet)
    assert image is not None
    assert np.array_equal(image.frame().picture, picture)


@pytest.mark.parametrize(
    ("change", "is_whole"),
    [
        pytest.param(without_tables, True, id="usual tables left out"),
        pytest.param(lambda jpeg: jpeg[:2] + b"\xff\xe0\x00\x10AVI1" + bytes(10) + jpeg[2:], True, id="AVI's mark"),
        pytest.param(lambda jpeg: jpeg + b"\x12\x34" * 50, True, id="rubbish behind"),
        pytest.param(lambda jpeg: jpeg[:-2] + bytes(512), True, id="zeros for an end"),
        pytest.param(lambda jpeg: jpeg[: len(jpeg) * 9 // 10], False, id="a tenth lost"),
        pytest.param(lambda jpeg: jpeg[: len(jpeg) // 2], False, id="half lost"),
    ],
)
def test_odd_jpeg_is_taken_and_jpeg_that_lost_something_is_damage(
    change: Callable[[bytes], bytes], *, is_whole: bool
) -> None:
    """What memory holds of an earlier picture must not complete a later one."""
    whole = read(encode("mjpeg", frames=3, container="avi", options={"huffman": "default"}))
    decoder = Decoder()
    images = decode([whole[0], *(replace(packet, data=change(packet.data)) for packet in whole[1:])], decoder)
    assert (len(images), decoder.damaged) == ((3, 0) if is_whole else (1, 2))


def as_sensors_give(picture: av.VideoFrame, pixels: str) -> bytes:
    encoder = av.CodecContext.create("rawvideo", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = picture.width, picture.height, pixels, TICK
    return b"".join(map(bytes, encoder.encode(picture)))


@pytest.mark.parametrize("pixels", ["yuyv422", "uyvy422", "nv12", "yuv420p", "rgb24", "bgr24", "gray"])
def test_raw_pictures_that_are_pressed_stay_what_they_were(pixels: str) -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:24], picture[24:] = (200, 120, 40), (30, 60, 220)
    raw = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format=pixels)
    data = as_sensors_give(raw, pixels)
    press = JpegPress(64, 48, pixels)
    jpegs = [press.press(data) for _ in range(2)]
    (image,) = decode([replace(make_packet(0, is_key=True), data=jpegs[1], coding=Coding("mjpeg", 64, 48, TICK))])
    expected = picture if pixels != "gray" else raw.reformat(format="bgr24").to_ndarray()
    assert np.abs(image.frame().picture.astype(int) - expected.astype(int)).mean() < 6
    with pytest.raises(FFmpegError):
        press.press(data[:1000])
    line_bytes = 64 * {"yuyv422": 2, "uyvy422": 2, "rgb24": 3, "bgr24": 3}.get(pixels, 1)
    padded = with_gaps(data, line_bytes, 48, gap=32, halved=pixels == "yuv420p")
    assert JpegPress(64, 48, pixels, line_bytes + 32).press(padded) == jpegs[0]


def with_gaps(data: bytes, line_bytes: int, height: int, *, gap: int, halved: bool) -> bytes:
    """As drivers give it whose hardware wants lines to begin at multiples of something."""
    planes = [(data[: line_bytes * height], line_bytes, gap), (data[line_bytes * height :], line_bytes, gap)]
    if halved:
        planes[1] = (planes[1][0], line_bytes // 2, gap // 2)
    lines = (
        (plane[at : at + length], b"\xaa" * pad) for plane, length, pad in planes for at in range(0, len(plane), length)
    )
    return b"".join(line + pad for line, pad in lines)
