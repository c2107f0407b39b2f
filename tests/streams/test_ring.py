"""The ring: how far back it reaches, what it gives, and that nothing makes it grow."""

import threading

import pytest

from streams.budget import check_rings, memory_bytes
from streams.errors import RingTooLarge
from streams.ring import PACKET_COST_BYTES, PacketRing
from tests.streams.reels import RATE, make_packet

PLENTY = 10**9


def fill(ring: PacketRing, count: int, *, gop: int, start: int = 0, take: int = 0, size: int = 100) -> PacketRing:
    for index in range(start, start + count):
        ring.append(make_packet(index, is_key=gop > 0 and (index - start) % gop == 0, take=take, size=size))
    return ring


def indices(packets: tuple) -> list[int]:
    return [packet.index for packet in packets]


@pytest.mark.parametrize("seconds", [0.5, 1, 2, 7.3])
@pytest.mark.parametrize("gop", [1, 10, 50])
def test_it_reaches_back_the_seconds_it_was_made_for_and_no_group_further(seconds: float, gop: int) -> None:
    ring = fill(PacketRing(seconds=seconds, max_bytes=PLENTY), 1000, gop=gop)
    assert seconds <= ring.seconds < seconds + (gop + 1) / RATE
    assert ring.spanning(0)[0].is_key


def test_it_begins_with_a_key_frame_after_every_packet() -> None:
    ring = PacketRing(seconds=1, max_bytes=PLENTY)
    for index in range(300):
        ring.append(make_packet(index, is_key=index % 40 == 0))
        assert ring.after(-1)[0].is_key


def test_a_group_longer_than_the_ring_stays_whole() -> None:
    ring = fill(PacketRing(seconds=1, max_bytes=PLENTY), 500, gop=1000)
    assert indices(ring.since_key()) == list(range(500))


def test_a_group_larger_than_the_ring_loses_its_beginning_until_the_next_key_frame() -> None:
    ring = fill(PacketRing(seconds=60, max_bytes=20_000), 500, gop=1000)
    assert ring.size_bytes <= 20_000
    assert ring.since_key() == ring.spanning(0) == ()
    assert ring.after(498)[0].index == 499
    fill(ring, 10, gop=1000, start=500)
    assert indices(ring.since_key()) == list(range(500, 510))
    assert ring.after(-1)[0].index == 500


@pytest.mark.parametrize("gop", [0, 1, 25, 10_000])
@pytest.mark.parametrize("size", [0, 1, 5_000, 90_000])
def test_bytes_bound_it_whatever_the_camera_sends(gop: int, size: int) -> None:
    ring = PacketRing(seconds=3600, max_bytes=200_000)
    for index in range(2_000):
        ring.append(make_packet(index, is_key=gop > 0 and index % gop == 0, size=size, at_s=0.0))
        assert ring.size_bytes <= 200_000
    held = ring.after(-1)
    assert ring.size_bytes == sum(len(packet.data) + PACKET_COST_BYTES for packet in held)
    assert held[-1].index == 1_999


def test_the_newest_packet_stays_even_if_it_is_larger_than_the_ring() -> None:
    ring = fill(PacketRing(seconds=10, max_bytes=1_000), 3, gop=1, size=50_000)
    assert indices(ring.since_key()) == [2]


def test_a_stream_without_key_frames_is_bounded_by_seconds() -> None:
    ring = fill(PacketRing(seconds=2, max_bytes=PLENTY), 60 * RATE, gop=0)
    assert ring.seconds <= 2
    assert ring.since_key() == ring.from_key_before(59) == ring.spanning(59) == ()


def test_it_knows_whether_bytes_keep_it_from_reaching_back_far_enough() -> None:
    ring = fill(PacketRing(seconds=2, max_bytes=RATE * (PACKET_COST_BYTES + 100)), RATE, gop=5)
    assert not ring.is_short, "nothing was let go of yet"
    assert fill(ring, RATE, gop=5, start=RATE).is_short
    for number in range(20):
        ring.append(make_packet(2 * RATE + number, is_key=True, at_s=2.0 + number / 5))
    assert not ring.is_short, "fewer packets a second reach back further"


@pytest.mark.parametrize(
    ("wanted_s", "begins"), [(-5, 0), (0, 0), (0.99, 0), (1.0, 25), (1.99, 25), (3.5, 75), (99, 75)]
)
def test_it_gives_the_past_from_the_key_frame_at_or_before_a_moment(wanted_s: float, begins: int) -> None:
    ring = fill(PacketRing(seconds=60, max_bytes=PLENTY), 90, gop=25)
    assert indices(ring.from_key_before(wanted_s)) == list(range(begins, 90))
    assert indices(ring.spanning(wanted_s)) == list(range(begins, 90))
    assert indices(ring.spanning_arrival(1000 + wanted_s)) == list(range(begins, 90))


def test_takes_are_not_mixed_where_packets_are_decoded_and_kept_apart_by_whoever_asks_across() -> None:
    ring = fill(PacketRing(seconds=60, max_bytes=PLENTY), 40, gop=20)
    fill(ring, 5, gop=0, start=40, take=1)
    assert ring.since_key() == ring.from_key_before(0.5) == ()
    fill(ring, 10, gop=20, start=45, take=1)
    assert indices(ring.since_key()) == indices(ring.from_key_before(0.5)) == list(range(45, 55))
    assert indices(ring.spanning(0.9)) == list(range(20, 55))
    assert {packet.take for packet in ring.after(38)} == {0, 1}


@pytest.mark.parametrize(("index", "expected"), [(-1, 90), (0, 89), (24, 65), (25, 64), (88, 1), (89, 0), (500, 0)])
def test_after_gives_what_is_new_across_groups(index: int, expected: int) -> None:
    ring = fill(PacketRing(seconds=60, max_bytes=PLENTY), 90, gop=25)
    assert indices(ring.after(index)) == list(range(90 - expected, 90))


def test_time_is_that_of_the_newest_picture_though_packets_of_b_frames_step_back() -> None:
    ring = PacketRing(seconds=10, max_bytes=PLENTY)
    for index, at_s in enumerate([0.0, 0.12, 0.04, 0.08, 0.24, 0.16]):
        ring.append(make_packet(index, is_key=index == 0, at_s=at_s))
    assert ring.seconds == pytest.approx(0.24)
    assert ring.newest is not None
    assert ring.newest.index == 5


def test_an_empty_or_emptied_ring_gives_nothing() -> None:
    ring = PacketRing(seconds=10, max_bytes=PLENTY)
    for _ in range(2):
        assert ring.since_key() == ring.from_key_before(0) == ring.spanning(0) == ring.after(-1) == ()
        assert (ring.seconds, ring.size_bytes, ring.newest) == (0.0, 0, None)
        fill(ring, 10, gop=5).clear()


def test_readers_see_whole_runs_of_packets_while_another_thread_appends() -> None:
    ring = PacketRing(seconds=1, max_bytes=PLENTY)
    writer = threading.Thread(target=fill, args=(ring, 20_000), kwargs={"gop": 25, "size": 0})
    writer.start()
    position, read = -1, 0
    while writer.is_alive() or ring.after(position):
        run = ring.since_key()
        assert not run or (run[0].is_key and indices(run) == list(range(run[0].index, run[-1].index + 1)))
        newer = ring.after(position)
        assert indices(newer) == sorted({packet.index for packet in newer})
        position = newer[-1].index if newer else position
        read += len(newer)
    writer.join()
    assert (position, read > 0) == (19_999, True)


def test_rings_that_do_not_fit_into_memory_are_refused_with_the_sums() -> None:
    check_rings({f"cam-{number}": 32 * 2**20 for number in range(16)}, 2 * 2**30)
    with pytest.raises(RingTooLarge) as caught:
        check_rings({"gate": 4096 * 2**20, "yard": 32 * 2**20}, 4 * 2**30)
    message = str(caught.value)
    assert "\n" not in message
    assert [part for part in ("2 cameras", "4128 MiB", "gate", "4096 MiB", "2048 MiB") if part not in message] == []


def test_the_memory_of_this_machine_is_known() -> None:
    assert 2**26 < memory_bytes() < 2**50
