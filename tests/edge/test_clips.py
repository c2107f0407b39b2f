"""Clips of incidents: enough before, enough after, each its own, and none lost to a full disk without a word."""

import io
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from alerts.errors import BlobStoreFull
from alerts.messages import Dropped, Evidence, Shortfall
from edge import clip_sealer
from edge.clip_sealer import ClipSealer
from edge.clips import STALLED_S, ClipKeeper, Ending, Roll, Taken, is_current
from edge.room import RETRY_S
from streams.frames import Frame
from streams.packets import Packet
from streams.ring import PacketRing
from tests.edge.parts import NOON, Bench, make_identity, post
from tests.streams.reels import RATE, encode, follow, read

ROLL = Roll(before_s=1.0, after_s=2.0, max_bytes=10**8)


@pytest.fixture(scope="module")
def film() -> tuple[Packet, ...]:
    """Ten seconds with a key frame a second."""
    return read(encode(frames=250, size=(64, 48)))


def frame_of(packet: Packet, camera: str = "cam-1") -> Frame:
    """What a look at this packet's picture begins with."""
    return Frame(
        picture=np.zeros((2, 2, 3), np.uint8),
        camera=camera,
        index=packet.index,
        stream_s=packet.stream_s,
        monotonic_s=packet.monotonic_s,
        utc=packet.utc,
    )


class Yard:
    """A camera whose packets come when the test says so."""

    def __init__(self, seconds: float = 60.0) -> None:
        self.ring = PacketRing(seconds=seconds, max_bytes=10**9)
        self.keeper = ClipKeeper(most_bytes=10**9)
        self.now_s = 1000.0

    def play(self, packets: Iterable[Packet], *, step: int = 12) -> "Yard":
        """So many packets arrive between one collecting and the next."""
        for number, packet in enumerate(packets, start=1):
            self.ring.append(packet)
            self.now_s = packet.monotonic_s
            if number % step == 0:
                self.keeper.collect(self.now_s)
        self.keeper.collect(self.now_s)
        return self

    def open(self, incident: str, at: Packet, roll: Roll = ROLL) -> "Yard":
        self.keeper.open(incident, frame_of(at), self.ring, roll)
        return self


def span(taken: Taken) -> tuple[float, float]:
    return taken.packets[0].stream_s, max(packet.stream_s for packet in taken.packets)


@pytest.mark.parametrize("late", [0, 1, 30, 200])
def test_a_clip_reaches_from_the_key_frame_before_the_pre_roll_to_the_end_of_the_post_roll(
    film: Sequence[Packet], late: int
) -> None:
    """However late an incident is noticed: detectors may lag, and tracks need time."""
    event = film[110]
    seen = film[: event.index + 1 + late]
    yard = Yard().play(seen).open("i-1", event).play(film[len(seen) :])
    (taken,) = yard.keeper.due(99)
    begins_s, ends_s = span(taken)
    assert event.stream_s - 2 < begins_s <= event.stream_s - 1
    assert event.stream_s + 2 <= ends_s < event.stream_s + 2.2
    assert (taken.incidents, taken.camera, taken.ending) == (("i-1",), "cam-1", Ending.COMPLETE)
    assert [packet.index for packet in taken.packets] == list(
        range(taken.packets[0].index, taken.packets[-1].index + 1)
    )


def test_nothing_is_due_before_the_post_roll_is_over_and_nothing_twice(film: Sequence[Packet]) -> None:
    yard = Yard().play(film[:100]).open("i-1", film[99]).play(film[100:140])
    assert yard.keeper.due(99) == ()
    yard.play(film[140:])
    assert len(yard.keeper.due(99)) == 1
    assert yard.keeper.due(99) == ()


def test_overlapping_incidents_get_each_their_own_clip_of_the_same_packets(film: Sequence[Packet]) -> None:
    yard = Yard().play(film[:80]).open("i-1", film[79]).play(film[80:105]).open("i-2", film[104]).play(film[105:])
    first, second = yard.keeper.due(99)
    assert (first.incidents, second.incidents) == (("i-1",), ("i-2",))
    assert span(first) != span(second)
    held = {id(packet) for packet in first.packets} & {id(packet) for packet in second.packets}
    assert len(held) > RATE


def test_incidents_that_open_in_one_picture_share_one_clip(film: Sequence[Packet]) -> None:
    yard = Yard().play(film[:80]).open("i-1", film[79]).open("i-2", film[79]).play(film[80:])
    (taken,) = yard.keeper.due(99)
    assert taken.incidents == ("i-1", "i-2")


def test_the_clip_outlives_a_ring_shorter_than_the_post_roll(film: Sequence[Packet]) -> None:
    roll = replace(ROLL, after_s=5.0)
    (taken,) = Yard(seconds=1.5).play(film[:100]).open("i-1", film[99], roll).play(film[100:]).keeper.due(99)
    assert (taken.ending, span(taken)[1] >= film[99].stream_s + 5) == (Ending.COMPLETE, True)


def test_what_the_ring_forgot_before_it_was_collected_ends_the_clip_as_a_gap(film: Sequence[Packet]) -> None:
    yard = Yard(seconds=0.5).play(film[:100]).open("i-1", film[99]).play(film[100:], step=1000)
    (taken,) = yard.keeper.due(99)
    assert (taken.ending, taken.packets[-1].index) == (Ending.GAP, 99)


def test_a_new_connection_ends_the_clip(film: Sequence[Packet]) -> None:
    both = follow([film[:100], film])
    (taken,) = Yard().play(both[:90]).open("i-1", both[89]).play(both[90:]).keeper.due(99)
    assert (taken.ending, taken.packets[-1].index) == (Ending.CONNECTION, 99)


def test_a_connection_that_is_new_at_the_event_leaves_the_pre_roll_of_the_old_one_to_the_cut(
    film: Sequence[Packet],
) -> None:
    both = follow([film[:100], film])
    (taken,) = Yard().play(both[:110]).open("i-1", both[109]).play(both[110:]).keeper.due(99)
    assert {packet.take for packet in taken.packets} == {0, 1}
    assert (taken.ending, taken.around) == (Ending.COMPLETE, 109)


def test_a_lost_camera_is_not_waited_for(film: Sequence[Packet]) -> None:
    yard = Yard().play(film[:120]).open("i-1", film[99])
    yard.keeper.collect(yard.now_s + STALLED_S - 1)
    assert yard.keeper.due(99) == ()
    yard.keeper.collect(yard.now_s + STALLED_S)
    (taken,) = yard.keeper.due(99)
    assert (taken.ending, taken.packets[-1].index) == (Ending.STALLED, 119)


def test_the_end_of_the_stream_ends_its_camera_s_clips_with_every_packet_there_was(film: Sequence[Packet]) -> None:
    yard = Yard().play(film[:100]).open("i-1", film[99])
    for packet in film[100:120]:
        yard.ring.append(packet)
    yard.keeper.give_up("another camera")
    assert yard.keeper.due(99) == ()
    yard.keeper.give_up("cam-1")
    (taken,) = yard.keeper.due(99)
    assert (taken.ending, taken.packets[-1].index) == (Ending.STALLED, 119)


def test_a_closed_incident_has_its_clip_early_unless_another_still_wants_it(film: Sequence[Packet]) -> None:
    yard = Yard().play(film[:100]).open("i-1", film[99]).open("i-2", film[99]).play(film[100:110])
    yard.keeper.close("i-1")
    yard.keeper.close("unheard of")
    assert yard.keeper.due(99) == ()
    yard.keeper.close("i-2")
    (taken,) = yard.keeper.due(99)
    assert (taken.ending, taken.packets[-1].index) == (Ending.CLOSED, 109)


def test_bytes_bound_a_clip(film: Sequence[Packet]) -> None:
    most = sum(packet.size_bytes for packet in film[50:120])
    yard = Yard().play(film[:100]).open("i-1", film[99], replace(ROLL, max_bytes=most)).play(film[100:])
    (taken,) = yard.keeper.due(99)
    assert taken.ending is Ending.SIZE
    assert most * 0.8 < taken.size_bytes <= most


def test_bytes_bound_all_clips_together_and_the_largest_ends_early_with_what_it_has(film: Sequence[Packet]) -> None:
    yard = Yard()
    sizes = [sum(packet.size_bytes for packet in film[first:last]) for first, last in ((50, 130), (75, 130))]
    yard.keeper = ClipKeeper(most_bytes=sum(sizes))
    yard.play(film[:100]).open("large", film[99]).open("small", film[99 - 1], replace(ROLL, before_s=0.1))
    (large,) = yard.play(film[100:]).keeper.due(1)
    (small,) = yard.keeper.due(99)
    assert (large.incidents, large.ending) == (("large",), Ending.MEMORY)
    assert large.packets[-1].index > 100
    assert (small.incidents, small.ending) == (("small",), Ending.COMPLETE)


def test_finished_clips_are_fetched_a_few_at_once_in_their_order(film: Sequence[Packet]) -> None:
    yard = Yard().play(film[:100])
    for number in range(5):
        yard.open(f"i-{number}", film[90 + number])
    yard.keeper.give_up()
    fetched = [[taken.incidents[0] for taken in yard.keeper.due(2)] for _ in range(4)]
    assert fetched == [["i-0", "i-1"], ["i-2", "i-3"], ["i-4"], []]


@pytest.mark.parametrize("ahead_s", [-0.3, 0.0, 0.3])
def test_the_main_stream_is_cut_by_time_of_arrival_whatever_it_calls_its_own_time(
    film: Sequence[Packet], ahead_s: float
) -> None:
    main = [replace(packet, stream_s=packet.stream_s + 77, monotonic_s=packet.monotonic_s + ahead_s) for packet in film]
    event = film[120]
    yard = Yard().play(main[:140])
    yard.keeper.open("i-1", frame_of(event), yard.ring, ROLL, is_other_stream=True)
    (taken,) = yard.play(main[140:]).keeper.due(99)
    arrivals = [packet.monotonic_s for packet in taken.packets]
    assert event.monotonic_s - 2.1 < arrivals[0] <= event.monotonic_s - 1
    assert event.monotonic_s + 2 <= arrivals[-1] < event.monotonic_s + 2.2
    around = main[taken.around]
    assert abs(around.monotonic_s - event.monotonic_s) <= 1 / RATE + 1e-6


@pytest.mark.parametrize(("silent_s", "current"), [(0.0, True), (1.9, True), (2.1, False), (600.0, False)])
def test_a_main_stream_that_fell_silent_is_not_taken_for_what_happens_now(
    film: Sequence[Packet], silent_s: float, current: bool
) -> None:
    yard = Yard()
    assert not is_current(yard.ring, frame_of(film[0]))
    yard.play(film[:100])
    assert is_current(yard.ring, replace(frame_of(film[99]), monotonic_s=yard.now_s + silent_s)) is current


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    running = Bench(tmp_path, make_identity(), [post("stationary", dwell_s=5)]).start()
    yield running
    running.stop()


@pytest.fixture
def sealer(bench: Bench) -> ClipSealer:
    return ClipSealer(bench.outbox, bench.blobs, room=bench.room, tell=bench._hear, now=lambda: NOON)


@pytest.fixture
def taken(film: Sequence[Packet]) -> Taken:
    (one,) = Yard().play(film[:100]).open("i-1", film[99]).open("i-2", film[99]).play(film[100:]).keeper.due(99)
    return one


def announced(bench: Bench) -> list[Evidence]:
    return [record.data for record in bench.records() if isinstance(record.data, Evidence)]


def test_a_sealed_clip_is_on_the_disk_announced_for_each_incident_and_queued_once(
    bench: Bench, sealer: ClipSealer, taken: Taken
) -> None:
    sealer.seal([taken], 0.0)
    messages = announced(bench)
    assert [(each.incident, each.camera) for each in messages] == [("i-1", "cam-1"), ("i-2", "cam-1")]
    (artefact,) = {artefact for each in messages for artefact in each.artefacts}
    data = bench.blobs.read(artefact.sha256)
    assert (artefact.role, artefact.media_type, artefact.size_bytes) == ("clip", "video/mp4", len(data))
    assert artefact.derived_from is None
    packets, held = artefact.packets, taken.packets
    assert packets is not None
    assert (packets.first, packets.last, packets.take) == (held[0].index, held[-1].index, held[0].take)
    assert (packets.codec, packets.decoder) == ("h264", "")  # nothing was decoded: these are the packets themselves
    assert (packets.first_at, packets.last_at) == (held[0].utc, held[-1].utc)
    assert {each.clock_state is not None for each in messages} == {True}
    with av.open(io.BytesIO(data)) as container:
        assert len(list(container.decode(video=0))) == len(taken.packets)
    assert bench.outbox.counts().pending_uploads == 1
    said = bench.heard("clip_queued")
    assert [each["incident"] for each in said] == ["i-1", "i-2"]
    assert (said[0]["ending"], said[0]["left_out"]) == ("complete", 0)
    assert said[0]["before_s"] >= 1
    assert said[0]["seconds"] >= 3


def test_a_clip_that_shows_less_than_it_was_to_is_announced_with_the_reasons(
    bench: Bench, sealer: ClipSealer, film: Sequence[Packet], taken: Taken
) -> None:
    both = follow([film[:100], film])
    (broken,) = Yard().play(both[:110]).open("i-3", both[109]).play(both[110:]).keeper.due(99)
    early = replace(broken, incidents=("i-4",), ending=Ending.CONNECTION)
    stalled = replace(taken, incidents=("i-5",), ending=Ending.STALLED)
    closed = replace(taken, incidents=("i-6",), ending=Ending.CLOSED)
    coding = replace(taken.packets[0].coding, encoder="libavcodec 1.2.3 mjpeg")
    raw = replace(taken, incidents=("i-7",), packets=tuple(replace(packet, coding=coding) for packet in taken.packets))
    sealer.seal([taken, broken, early, stalled, closed, raw], 0.0)
    told = {each.incident: each.artefacts[0].falls_short for each in announced(bench)}
    assert told == {
        "i-1": (),
        "i-2": (),
        "i-3": (Shortfall.CONNECTION,),
        "i-4": (Shortfall.CONNECTION,),
        "i-5": (Shortfall.STALLED,),
        "i-6": (),
        "i-7": (Shortfall.RAW,),
    }
    (packets,) = [each.artefacts[0].packets for each in announced(bench) if each.incident == "i-7"]
    assert packets is not None
    assert packets.encoder == "libavcodec 1.2.3 mjpeg"


def test_what_cannot_be_cut_is_said_and_given_up(bench: Bench, sealer: ClipSealer, taken: Taken) -> None:
    keyless = replace(taken, packets=tuple(replace(packet, is_key=False) for packet in taken.packets))
    sealer.seal([keyless, taken], 0.0)
    (trouble,) = bench.heard("trouble")
    assert (trouble["what"], "no key frame" in trouble["reason"]) == ("clip of camera cam-1", True)
    assert (len(announced(bench)), sealer.is_behind) == (2, False)


def fill(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> str:
        raise BlobStoreFull("the disk is full, the file was not stored")

    monkeypatch.setattr(bench.blobs, "put", refuse)


def test_while_the_disk_is_full_a_clip_waits_and_is_tried_again_now_and_then(
    bench: Bench, sealer: ClipSealer, taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(bench, monkeypatch)
    for now_s in (0.0, 1.0, RETRY_S + 1, 3 * RETRY_S):
        sealer.seal([taken] if now_s == 0 else [], now_s)
    assert (len(bench.heard("trouble")), announced(bench), sealer.is_behind) == (1, [], True)
    monkeypatch.undo()
    sealer.seal([], 3 * RETRY_S + 1)
    assert announced(bench) == []
    sealer.seal([], 5 * RETRY_S)
    assert (len(announced(bench)), len(bench.heard("trouble_over")), sealer.is_behind) == (2, 1, False)


def test_clips_that_no_longer_fit_into_memory_are_owned_up_to_once_there_is_room(
    bench: Bench, sealer: ClipSealer, taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        fill(bench, full)
        full.setattr(clip_sealer, "MOST_WAITING_BYTES", 2 * taken.size_bytes)
        for number in range(4):
            sealer.seal([replace(taken, incidents=(f"i-{number}",))], float(number))
    sealer.seal([], 100.0)
    (dropped,) = [record.data for record in bench.records() if isinstance(record.data, Dropped)]
    kept = [each.incident for each in announced(bench)]
    assert dropped.count == 4 - len(kept) > 0
    assert kept == [f"i-{number}" for number in range(4 - len(kept), 4)]
    assert dropped.first_at == dropped.last_at == taken.packets[0].utc


def test_a_long_backlog_is_sealed_a_few_at_once(
    bench: Bench, sealer: ClipSealer, taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clip_sealer, "MOST_AT_ONCE", 2)
    with monkeypatch.context() as full:
        fill(bench, full)
        sealer.seal([replace(taken, incidents=(f"i-{number}",)) for number in range(5)], 0.0)
    done = [(sealer.seal([], 100.0), len(announced(bench))) for _ in range(4)]
    assert done == [(True, 2), (True, 4), (False, 5), (False, 5)]


@pytest.mark.parametrize("error", [OSError("no such device"), sqlite3.OperationalError("locked")])
def test_whatever_else_fails_is_said_once_and_tried_again(
    error: Exception, bench: Bench, sealer: ClipSealer, taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: bytes) -> str:
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(bench.blobs, "put", fail)
        for now_s in range(20):
            sealer.seal([taken] if now_s == 0 else [], float(now_s))
    assert len(bench.heard("trouble")) == 1
    sealer.seal([], 100.0)
    assert (len(announced(bench)), len(bench.heard("trouble_over"))) == (2, 1)


def test_a_full_outbox_announces_nothing_and_queues_nothing(bench: Bench, sealer: ClipSealer, taken: Taken) -> None:
    (pages,) = bench.outbox._connection.execute("PRAGMA page_count").fetchone()
    bench.outbox._connection.execute(f"PRAGMA max_page_count = {pages}")
    many = replace(taken, incidents=tuple(f"i-{number}" for number in range(200)))
    sealer.seal([many], 0.0)
    assert (announced(bench), bench.outbox.counts().pending_uploads, sealer.is_behind) == ([], 0, True)
    bench.outbox._connection.execute("PRAGMA max_page_count = 1000000")
    sealer.seal([], RETRY_S)
    assert (len(announced(bench)), bench.outbox.counts().pending_uploads) == (200, 1)
