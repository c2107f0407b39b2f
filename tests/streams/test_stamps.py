"""Time stamps lie: whatever a stream says of its time, packets carry times that standing can be measured in."""

from collections.abc import Iterable
from fractions import Fraction

import av
import pytest

from streams.ffmpeg import Sent
from streams.frames import Camera
from streams.packets import Coding
from streams.stamps import Stamper
from tests.streams.clocks import QuickClock

MILLISECONDS = Coding(codec="h264", width=64, height=48, time_base=Fraction(1, 1000), rate=Fraction(10))


def sent(dts: int | None, pts: int | None) -> Sent:
    packet: Sent = av.Packet(b"\0")  # type: ignore[assignment]
    packet.dts, packet.pts = dts, pts
    return packet


def stream_times(
    stamps: Iterable[tuple[int | None, int | None]],
    *,
    arrival_s: float | None = 0.1,
    silence_s: float = 5.0,
    is_timed: bool = True,
) -> list[float]:
    """Stream times of packets (dts, pts) in ms: of a live camera, one each `arrival_s`, or with None of a file."""
    clock = QuickClock()
    stamper = Stamper(Camera(id="a", silence_s=silence_s), clock, is_live=arrival_s is not None)
    stamper.begin_take(is_timed=is_timed)
    times_s = []
    for dts, pts in stamps:
        packet = sent(dts, pts)
        stamper.advance(packet, MILLISECONDS)
        times_s.append(stamper.stamp(packet, MILLISECONDS).stream_s)
        clock.now_s += arrival_s or 0.0
    return times_s


def both(*stamps: int | None) -> list[tuple[int | None, int | None]]:
    return [(stamp, stamp) for stamp in stamps]


@pytest.mark.parametrize("arrival_s", [0.1, None], ids=["live", "file"])
@pytest.mark.parametrize(
    ("stamps", "expected_s"),
    [
        (both(0, 100, 200, 300), [0, 0.1, 0.2, 0.3]),
        (both(None, None, None), [0, 0.1, 0.2]),
        (both(5000, 5100, 100, 200), [0, 0.1, 0.2, 0.3]),
        (both(0, 100, 7_200_000, 7_200_100), [0, 0.1, 0.2, 0.3]),
        ([(-200, 0), (-100, 300), (0, 100), (100, 200)], [0, 0.3, 0.1, 0.2]),
        ([(None, 0), (None, 300), (0, 100), (100, 200)], [0, 0.3, 0.1, 0.2]),
        ([(None, 0), (None, 100), (None, 200)], [0, 0.1, 0.2]),
        ([(0, 0), (100, 9_000_000), (200, 200)], [0, 0.1, 0.2]),
    ],
    ids=[
        "steady",
        "none at all",
        "runs backwards",
        "jumps by two hours",
        "reordered",
        "reordered, first ones without an order",
        "never an order",
        "one mad presentation time",
    ],
)
def test_times_are_plausible_whatever_the_stamps(
    stamps: list[tuple[int | None, int | None]], expected_s: list[float], arrival_s: float | None
) -> None:
    assert stream_times(stamps, arrival_s=arrival_s) == pytest.approx(expected_s)


def test_a_camera_whose_clock_runs_wild_cannot_get_ahead_of_the_world() -> None:
    times_s = stream_times(both(*range(0, 190_000, 1900)))
    assert times_s[-1] == pytest.approx(9.9, abs=2.1)


def test_a_camera_whose_clock_nearly_stands_still_cannot_fall_far_behind() -> None:
    times_s = stream_times(both(*range(1000)))
    assert times_s[-1] == pytest.approx(99.9, abs=7.2)
    assert times_s == sorted(times_s)


def test_what_a_network_held_back_keeps_its_own_times() -> None:
    clock = QuickClock()
    stamper = Stamper(Camera(id="a"), clock, is_live=True)
    stamper.begin_take()
    times_s = []
    for number in range(60):
        packet = sent(number * 100, number * 100)
        stamper.advance(packet, MILLISECONDS)
        times_s.append(stamper.stamp(packet, MILLISECONDS).stream_s)
        clock.now_s += {19: 4.0}.get(number, 0.0 if 20 <= number < 59 else 0.1)
    assert times_s == pytest.approx([number / 10 for number in range(60)])


def test_a_new_take_goes_on_by_the_time_that_really_passed() -> None:
    clock = QuickClock()
    stamper = Stamper(Camera(id="a"), clock, is_live=True)
    packets = []
    for take, start in enumerate([900_000, 0]):
        stamper.begin_take()
        for step in range(3):
            packet = sent(start + step * 100, start + step * 100)
            stamper.advance(packet, MILLISECONDS)
            packets.append(stamper.stamp(packet, MILLISECONDS))
            clock.now_s += 0.1 if step < 2 else 7.0
        assert packets[-1].take == take
    assert [packet.stream_s for packet in packets] == pytest.approx([0, 0.1, 0.2, 7.2, 7.3, 7.4])
    assert [packet.index for packet in packets] == list(range(6))


def test_a_source_whose_stamps_are_made_up_is_timed_by_arrival() -> None:
    times_s = stream_times(both(*range(0, 40 * 10, 40)), arrival_s=0.2, is_timed=False)
    assert times_s == pytest.approx([0.2 * number for number in range(10)])
