"""One camera's eye over real packets: what it decodes, what it looks at, and what it may say of what it did not."""

import math

import numpy as np
import pytest

from edge.agenda import KNOWN_TIMES
from edge.eye import MOST_WAITING
from edge.gate.gate import GateSettings
from edge.watch import CameraWatch
from streams.frames import Frame
from tests.edge.eye_desk import ALERT, ASLEEP, GOP, Desk, asleep_at, film, later
from tests.streams.reels import RATE, follow, make_packet


def test_asleep_it_decodes_key_frames_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(monkeypatch)
    packets = film(18)
    asleep_at(packets, 10 * RATE, desk)
    before = desk.eye.counts.decoded
    desk.play(packets[10 * RATE :])
    assert desk.eye.gate.depth is ASLEEP
    assert desk.eye.counts.decoded - before == 8 * RATE / GOP
    assert desk.times(since_s=10) == []


@pytest.mark.parametrize(("start_s", "end_s"), [(10.2, 10.7), (10.7, 11.2), (11.2, 11.9)])
def test_an_event_between_two_key_frames_is_looked_at_and_seen(
    start_s: float, end_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(monkeypatch).play(film(events=((start_s, end_s),)))
    assert any(look.sees for look in desk.seen)
    assert desk.eye.gate.wakes["sizes"] >= 1
    assert desk.eye.gate.wakes["motion"] == 1


def test_the_past_is_analysed_from_the_key_frame_on_at_the_cameras_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """The packets say nothing here, so only the key frame at 12 s shows what has been there since 7.5 s."""
    desk = Desk(monkeypatch)
    packets = film(16, events=((7.5, 12.6),), gop=6 * RATE)
    desk.play(packets[: 7 * RATE])
    assert desk.eye.gate.depth is ASLEEP
    monkeypatch.setattr(desk.eye.gate, "packet", lambda *_, **__: False)
    desk.play(packets[7 * RATE :])
    past = desk.seen_between(6.0, 12.0)
    assert [look.at_s for look in past] == pytest.approx(list(np.arange(6.0, 12.0, 1 / 3)), abs=0.1)
    assert all(look.sees for look in past if 7.5 <= look.at_s < 12)


@pytest.mark.parametrize("late_until_s", [11.95, 12.2, 12.6])
def test_a_short_event_is_seen_though_the_box_has_no_time_for_it_at_first(
    late_until_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is over, and perhaps the next key frame came, before anybody can look."""
    desk = Desk(monkeypatch)
    packets = film(16, events=((11.3, 11.9),))
    begin, end = round(11.3 * RATE), round(late_until_s * RATE)
    desk.play(packets[:begin])
    assert desk.eye.gate.depth is ASLEEP
    desk.play(packets[begin:end], on_time=False)
    desk.play(packets[end:])
    assert any(look.sees for look in desk.seen)


def test_looks_never_go_back_in_time_and_no_second_is_watched_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(monkeypatch, GateSettings(check_every_s=1.0))
    packets = film(20, events=((7.0, 7.6), (10.7, 11.2), (14.3, 15.5)))
    desk.play(packets)
    times = desk.times()
    assert times == sorted(set(times))
    assert desk.seen[-1].watched_s <= packets[-1].stream_s
    assert len([look for look in desk.seen if look.sees]) >= 3


def test_a_light_that_is_switched_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(monkeypatch)
    dark, bright = film(10), film(4, seed=9)
    desk.play(follow([dark, bright], new_take=False))
    assert len(desk.seen_between(10, 14)) == 1


def test_looks_while_it_slept_are_vouched_for(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(monkeypatch, GateSettings(check_every_s=6.0)).play(film(26))
    looks = [look for look in desk.seen if look.at_s > 0]
    assert len(looks) >= 3
    assert all(look.vouched and look.gap_s == 0 for look in looks)
    assert looks[-1].watched_s == pytest.approx(looks[-1].at_s)


@pytest.mark.parametrize(("others_wait", "apart_s"), [(False, (6.0, 10.1)), (True, (10.0, 12.1))])
@pytest.mark.parametrize("gop", [GOP, 5 * RATE])
def test_looks_that_nothing_calls_for_wait_as_long_as_they_may_while_others_wait(
    gop: int, apart_s: tuple[float, float], monkeypatch: pytest.MonkeyPatch, *, others_wait: bool
) -> None:
    desk = Desk(monkeypatch, GateSettings(check_every_s=10.0))
    desk.others_wait = others_wait
    desk.play(film(45, gop=gop))
    steps = np.diff(desk.times(since_s=2))
    assert len(steps) >= 2
    assert steps.min() >= apart_s[0]
    assert steps.max() <= apart_s[1]


def test_another_connection_begins_anew_and_is_not_vouched_for(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(monkeypatch)
    first = film(10)
    asleep_at(first, len(first), desk)
    second = later(follow([first, film(8)])[len(first) :], 30.0)
    desk.play(second[:5])
    assert desk.eye.gate.depth is ALERT
    desk.play(second[5:])
    after = [look for look in desk.seen if look.take == 1]
    assert not after[0].vouched
    assert after[0].at_s == pytest.approx(40.0)
    assert after[0].gap_s == pytest.approx(40.0 - desk.seen[len(desk.seen) - len(after) - 1].at_s)
    assert after[0].watched_s < 10
    assert desk.eye.gate.depth is ASLEEP


@pytest.mark.parametrize("bframes", [0, 2])
def test_old_pictures_looked_at_after_the_reconnect_vouch_for_nothing(
    bframes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session was late: pictures of the old connection are looked at when the new one has begun already."""
    desk = Desk(monkeypatch, is_fast=False, gate=GateSettings(is_off=True))
    first = film(6, bframes=bframes)
    second = later(follow([first, film(4, bframes=bframes)])[len(first) :], 60.0)
    desk.play(first[:-20])
    desk.play(first[-20:], on_time=False)
    desk.play(second)
    assert not next(look for look in desk.seen if look.take == 1).vouched
    assert max(look.gap_s for look in desk.seen) > 55


@pytest.mark.parametrize(("is_undecided", "recheck_s", "least_s"), [(True, 2.0, 1.9), (False, 2.0 / KNOWN_TIMES, 1.15)])
def test_while_an_incident_is_open_it_is_checked_on_a_slow_clock(
    recheck_s: float, least_s: float, monkeypatch: pytest.MonkeyPatch, *, is_undecided: bool
) -> None:
    monkeypatch.setattr(CameraWatch, "is_undecided", is_undecided)
    desk = Desk(monkeypatch, GateSettings(recheck_s=recheck_s))
    packets = film(24, gop=5 * RATE)
    asleep_at(packets, 8 * RATE, desk)
    desk.eye.open_incidents = 1
    desk.play(packets[8 * RATE :])
    steps = np.diff(desk.times(since_s=8))
    assert len(steps) >= 5
    assert steps.max() <= 2.5
    assert steps.min() >= least_s
    assert desk.eye.gate.depth is ASLEEP


def test_a_stream_of_key_frames_costs_one_picture_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(monkeypatch, GateSettings(is_off=True)).play(film(10, codec="mjpeg"))
    assert len(desk.seen) == pytest.approx(30, abs=2)
    assert desk.eye.counts.decoded <= len(desk.seen) + 2


def test_a_stream_of_key_frames_is_compared_five_times_a_second_where_nothing_happens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk(monkeypatch).play(film(10, codec="mjpeg"))
    assert desk.eye.gate.depth is ALERT
    assert len(desk.seen) <= 2
    assert desk.eye.counts.decoded <= 55


@pytest.mark.parametrize("codec", ["libx264", "mjpeg"])
def test_late_the_newest_picture_wins_and_what_was_left_out_is_counted_and_not_vouched_for(
    codec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(monkeypatch, GateSettings(is_off=True))
    packets = film(20, codec=codec)
    desk.play(packets[: 5 * RATE])
    looks, decoded = len(desk.seen), desk.eye.counts.decoded
    desk.play(packets[5 * RATE : 14 * RATE], on_time=False)
    desk.serve()
    (late,) = desk.seen[looks:]
    assert late.at_s == pytest.approx(14, abs=0.1)
    assert desk.eye.counts.decoded - decoded <= GOP
    assert desk.eye.counts.dropped >= 20
    assert desk.eye.counts.late == 1
    assert (late.vouched, late.gap_s > 8) == (False, True)
    desk.play(packets[14 * RATE :])
    assert [look.vouched for look in desk.seen[looks + 1 :]].count(False) == 0


def test_a_session_on_time_drops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(monkeypatch, GateSettings(is_off=True)).play(film(10))
    assert (desk.eye.counts.dropped, desk.eye.counts.late) == (0, 0)
    assert desk.eye.counts.decoded >= desk.eye.counts.packets - RATE / 3


@pytest.mark.parametrize("bframes", [0, 2])
def test_the_end_of_a_stream_brings_out_what_the_decoder_held_back(
    bframes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(monkeypatch, GateSettings(is_off=True), looks_per_s=25.0, until_end=True)
    packets = film(6, bframes=bframes)
    desk.play(packets)
    desk.end()
    assert desk.seen[-1].at_s == max(packet.stream_s for packet in packets)
    assert desk.eye.counts.decoded == len(packets) or bframes
    assert desk.eye.due_s == math.inf


def test_a_sleeper_ends_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(monkeypatch, until_end=True)
    packets = film(10)
    asleep_at(packets, len(packets), desk)
    desk.end()


def test_an_eye_that_never_saw_a_packet_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    Desk(monkeypatch).end()


def test_no_picture_is_made_of_packets_whose_key_frame_is_gone_and_the_next_one_mends_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    packets = film(20, gop=8 * RATE)
    most = sum(packet.size_bytes + 512 for packet in packets[: 3 * RATE])
    desk = Desk(monkeypatch, GateSettings(is_off=True), ring_s=60.0, ring_bytes=most)
    desk.play(packets[: 4 * RATE])
    looks = len(desk.seen)
    desk.play(packets[4 * RATE : 15 * RATE], on_time=False)
    desk.play(packets[15 * RATE :])
    assert [look.at_s for look in desk.seen[looks:]] == pytest.approx(list(np.arange(16, 20, 1 / 3)), abs=0.1)
    assert not desk.seen[looks].vouched
    assert desk.seen[looks].gap_s > 10
    assert desk.eye.damaged == 0


def test_a_sleeper_whose_ring_lost_its_key_frame_ends_nevertheless(monkeypatch: pytest.MonkeyPatch) -> None:
    packets = film(14, gop=12 * RATE)
    room = sum(packet.size_bytes + 512 for packet in packets[: 7 * RATE])
    desk = Desk(monkeypatch, ring_bytes=room, until_end=True)
    asleep_at(packets, 6 * RATE, desk)
    desk.play(packets[6 * RATE : 11 * RATE], on_time=False)
    assert desk.eye.ring.since_key() == ()
    desk.serve()
    desk.end()


def test_with_a_gate_that_is_off_nothing_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.gate.scene.Scene.look", lambda *_: pytest.fail("compared"))
    desk = Desk(monkeypatch, GateSettings(is_off=True)).play(film(10, events=((4.0, 6.0),)))
    assert len(desk.seen) == pytest.approx(30, abs=2)
    assert desk.eye.gate.wakes == {}


@pytest.mark.parametrize("rate", [0.5, 1.0, 3.0, 8.0])
def test_awake_it_looks_at_the_cameras_rate(rate: float, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(monkeypatch, GateSettings(is_off=True), looks_per_s=rate).play(film(10))
    assert len(desk.seen) == pytest.approx(10 * rate, abs=1.5)


def test_what_fails_in_a_look_is_not_counted_and_the_next_one_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(monkeypatch, GateSettings(is_off=True))
    monkeypatch.setattr(desk, "analyse", lambda _, *, vouched: None)
    desk.play(film(4))
    assert desk.eye.counts.looks == 0
    monkeypatch.undo()


def test_an_error_in_a_look_leaves_the_eye_due_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(monkeypatch, GateSettings(is_off=True))

    def fail(_: Frame) -> None:
        raise ValueError("broken")

    desk.on_look = fail
    packets = film(4)
    desk.take(packets[0])
    with pytest.raises(ValueError, match="broken"):
        desk.eye.step(desk.analyse)
    desk.on_look = lambda _: None
    desk.play(packets[1:])
    assert len(desk.seen) >= 10


def test_a_file_as_fast_as_possible_waits_for_its_looks_and_is_let_go_by_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(monkeypatch, GateSettings(is_off=True), is_fast=True, is_live=False)
    for index in range(MOST_WAITING - 1):
        desk.take(make_packet(index))
    desk.eye.stop()
    desk.take(make_packet(MOST_WAITING))
    assert desk.eye.counts.packets == MOST_WAITING


def test_only_what_needs_it_prods_the_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(monkeypatch)
    packets = film(14)
    asleep_at(packets, 10 * RATE, desk)
    before = desk.prods
    desk.play(packets[10 * RATE :])
    assert desk.prods - before == 4 * RATE / GOP
