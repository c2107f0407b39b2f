"""The bench of delivery: a hundred faults lose nothing, and a box that loses something is found out."""

import asyncio
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer import BadParameter
from typer.testing import CliRunner

from alerts.keys import SigningKey
from alerts.messages import KeyRotation, Phase
from alerts.records import JournalData, write_record
from alerts.topics import Channel, Topic
from edge.bench.clips import NothingToMeasure
from edge.bench.delivery.box import BoxUnderTest
from edge.bench.delivery.command import app, read_shard
from edge.bench.delivery.figures import figures_of, keeps_promises
from edge.bench.delivery.judgement import Verdict
from edge.bench.delivery.kinds import KINDS, Fault, Kind, draw
from edge.bench.delivery.leftovers import read_leftovers
from edge.bench.delivery.link import Link
from edge.bench.delivery.meddler import FIRST_OWN_ID, Meddler
from edge.bench.delivery.packets import (
    Packets,
    Publication,
    read_puback,
    read_publication,
    write_puback,
    write_publication,
)
from edge.bench.delivery.rounds import Plan, Round, hold, load, save
from edge.bench.delivery.site import ROTA, Site, choose_sites
from edge.bench.delivery.stage import NO_GAP, Gap, Stage
from edge.bench.delivery.storm import Outcome, Storm
from tests.alerts.parts import NOON, make_alert, make_clock
from tests.edge.parts import make_identity

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "teawatch", "bench", "delivery")
VERDICT = Verdict(
    committed=3, lost=0, duplicate_tasks=0, records=9, lost_records=0, files=2, lost_files=0, quarantined=0
)
ROUND = Round(
    number=0,
    seed=7,
    site="mosquitto-sqlite",
    verdict=VERDICT,
    outcomes=(Outcome("box_killed", NO_GAP, 0.5), Outcome("records_withheld", Gap(1, 1), 2.0)),
    took_ms=(3.0, 1.0, 2.0),
    troubles=(),
    seconds=10.0,
)
IDENTITY = make_identity()
SLOWEST_S = 1800
"""A minute on two cores; a machine with much other work may take its time."""


@pytest.mark.timeout(SLOWEST_S)
def test_a_hundred_faults_lose_nothing_double_nothing_and_leave_no_gap_unnoticed() -> None:
    done = subprocess.run(
        [*COMMAND, "--faults", "100", "--seed", "7", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SLOWEST_S - 10,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["faults"] == 100
    assert figures["committed"] >= 50
    assert [figures[name] for name in ("lost", "duplicate_tasks", "lost_records", "lost_files")] == [0, 0, 0, 0]
    assert figures["gaps_noticed"] == figures["gaps_made"] >= 2


AT_A_LARGE_CENTRE = (
    "worker_killed",
    "centre_clock_jump",
    "certificate_lost",
    "key_rotated",
    "key_rotated",
    "box_killed_at_write",
    "database_killed",
    "worker_killed_at_write",
)


@pytest.mark.system("mosquitto", "postgresql")
@pytest.mark.timeout(SLOWEST_S)
def test_behind_tls_and_with_workers_on_postgresql_dying_workers_lose_and_double_nothing() -> None:
    kinds = {kind.name: kind for kind in KINDS}
    faults = [Fault(kinds[name], seed) for seed, name in enumerate(AT_A_LARGE_CENTRE)]
    site = Site(database="postgresql", tls=True, workers=2)
    done = asyncio.run(hold(0, faults, Plan(seed=1, boxes=4, sites=[site])))
    assert not done.findings
    assert done.verdict.committed > 0
    assert done.rotations >= 2
    assert {outcome.kind for outcome in done.outcomes} == set(AT_A_LARGE_CENTRE)


async def swallow(_stage: Stage, box: BoxUnderTest, _chance: random.Random) -> Gap:
    """Whatever the box sends is acknowledged and gone, until it has made a dozen records."""
    box.meddler.withhold(1000)
    await box.tell("hurry")
    await box.wait(lambda: box.head >= 12, 60)
    box.meddler.relent()
    return NO_GAP


@pytest.mark.timeout(SLOWEST_S)
def test_a_box_that_forgets_what_the_broker_acknowledged_is_found_to_have_lost_it() -> None:
    fault = Fault(Kind(name="swallowed", weight=1, on_box=swallow), seed=1)
    sites = choose_sites(database="sqlite", tls=False)
    plan = Plan(seed=1, boxes=1, sites=sites, module="tests.edge.forgetful_box", clear_s=5)
    done = asyncio.run(hold(0, [fault], plan))
    assert done.verdict.lost > 0
    assert done.verdict.lost_records >= 6
    assert not keeps_promises(figures_of([done]))
    assert len([line for line in done.findings if "no lead" in line]) == done.verdict.lost
    kept = Path(done.kept)
    assert (kept / "centre.log").exists(), "whoever wonders why finds the round's files"
    shutil.rmtree(kept)


class SlowBox:
    """A box that has something to deliver each time one looks, so many times, if it is not stuck."""

    name = key = "box-1"
    waits = "box-1 has records from 3 on and 0 files waiting"

    def __init__(self, deliveries: int, *, is_stuck: bool) -> None:
        self.left, self.is_stuck = deliveries, is_stuck
        self.moved_s = 0.0

    async def rest(self) -> None:
        pass

    async def delivers(self, _until: int | None, _patience_s: float) -> bool:
        if not self.is_stuck:
            self.left -= 1
            self.moved_s = time.monotonic() + 1
        return self.left == 0


@pytest.mark.parametrize("is_stuck", [False, True])
def test_what_goes_on_moving_is_waited_for_however_long_and_only_what_stands_still_is_stuck(is_stuck: bool) -> None:
    box = SlowBox(50, is_stuck=is_stuck)
    stage: Any = SimpleNamespace(boxes=[box], copies=[])
    storm = Storm(stage, (), clear_s=0)
    assert asyncio.run(storm.rage()) == []
    assert storm.stuck == ([box.waits] if is_stuck else [])
    assert box.left == (50 if is_stuck else 0)


def test_a_round_that_could_not_be_held_is_an_error_and_the_others_are_held_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail_at_first(number: int, _faults: object, _plan: object) -> Round:
        if number == 0:
            raise NothingToMeasure("no broker to be had")
        return replace(ROUND, number=number)

    monkeypatch.setattr("edge.bench.delivery.command.hold", fail_at_first)
    said = CliRunner().invoke(app, ["--faults", "200", "--state", str(tmp_path), "--json"])
    assert said.exit_code == 1
    assert "no broker to be had" in said.output
    figures = json.loads(said.stdout.splitlines()[-1])
    assert (figures["rounds"], figures["rounds_not_held"]) == (1, 1)
    assert len(list(tmp_path.iterdir())) == 1, "it is tried again the next time"


def test_a_run_that_is_stopped_leaves_no_process_and_no_folder_behind(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [*COMMAND, "--faults", "5"], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    ) as bench:
        try:
            children = wait_for_children(psutil.Process(bench.pid), 2)
            bench.send_signal(signal.SIGTERM)
            _, said = bench.communicate(timeout=60)
        finally:
            bench.kill()
    assert bench.returncode == 130
    assert "stopped" in said
    assert psutil.wait_procs(children, timeout=20)[1] == []
    assert list(tmp_path.glob("teawatch*")) == []


def wait_for_children(process: psutil.Process, count: int) -> list[psutil.Process]:
    """The processes of a round that has begun."""
    while len(children := process.children(recursive=True)) < count:
        assert process.status() != psutil.STATUS_ZOMBIE
    return children


def test_a_seed_draws_the_same_faults_again_and_each_usual_kind_at_least_once() -> None:
    for site in ROTA:
        drawn = draw(100, 7, site)
        assert drawn == draw(100, 7, site) != draw(100, 8, site)
        assert {fault.kind for fault in drawn} >= {kind for kind in KINDS if kind.fits(site) and not kind.is_rare}
        assert all(fault.kind.fits(site) for fault in drawn)
    assert {fault.kind for site in ROTA for fault in draw(500, 7, site)} == set(KINDS)


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"broker": "embedded", "database": "sqlite"}, ["embedded-sqlite"]),
        ({"broker": "embedded", "database": "sqlite", "tls": True}, ["embedded-tls-sqlite"]),
        ({"database_url": "postgresql://x", "tls": True, "broker": "mosquitto"}, ["mosquitto-tls-postgresql"]),
    ],
)
def test_a_round_takes_place_where_one_asks_for_it(asked: dict[str, Any], names: list[str]) -> None:
    assert [site.name for site in choose_sites(**asked)] == names


def test_an_unknown_broker_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(NothingToMeasure, match="mosquitto or embedded"):
        choose_sites(broker="rabbit")


def test_a_waiting_record_is_read_whoever_signed_it_and_says_what_it_begins_and_announces() -> None:
    closed = make_alert(phase=Phase.CLOSED).model_copy(update={"evidence": ()})
    new = SigningKey.generate()
    rotation = KeyRotation(key=new.verify_key.to_text(), retires=IDENTITY.signing_key.key_id)
    written = (make_alert(), closed, make_clock(), rotation)
    told = read_leftovers(make_raw(data, number, new) for number, data in enumerate(written, 1))
    assert [
        (each.sequence, bool(each.incident), len(each.files), each.is_spare, each.is_rotation) for each in told
    ] == [
        (1, True, 1, False, False),
        (2, True, 0, True, False),
        (3, False, 0, False, False),
        (4, False, 0, False, True),
    ]


def test_a_round_is_kept_in_a_file_and_rounds_add_up(tmp_path: Path) -> None:
    path = tmp_path / "state" / "round.json"
    assert load(path) is None
    save(path, ROUND)
    assert load(path) == ROUND
    figures = figures_of([ROUND, replace(ROUND, number=1, verdict=replace(VERDICT, lost=1))])
    assert (figures["faults"], figures["committed"], figures["lost"], figures["gaps_noticed"]) == (4, 6, 1, 2)
    assert (figures["commit_ms_p50"], figures["commit_ms_p99"]) == (2.0, 3.0)


@pytest.mark.parametrize(
    ("change", "keeps"),
    [({}, True), ({"lost": 1}, False), ({"duplicate_tasks": 1}, False), ({"lost_records": 1}, False)],
)
def test_one_loss_or_double_breaks_the_promise(change: dict[str, int], keeps: bool) -> None:
    assert keeps_promises(figures_of([replace(ROUND, verdict=replace(VERDICT, **change))])) is keeps


def test_a_gap_that_was_not_noticed_breaks_the_promise() -> None:
    unseen = replace(ROUND, outcomes=(Outcome("records_withheld", Gap(1, 0), 2.0),))
    assert not keeps_promises(figures_of([unseen]))


@pytest.mark.parametrize("shard", ["0/2", "3/2", "1", "a/b", "1/2/3"])
def test_a_share_that_is_none_is_refused(shard: str) -> None:
    with pytest.raises(BadParameter, match="is no share"):
        read_shard(shard)


@given(st.binary(max_size=40_000), st.integers(1, 65_535), st.integers(1, 5000))
def test_a_publication_survives_being_cut_into_pieces(payload: bytes, packet_id: int, piece: int) -> None:
    publication = Publication("teawatch/v1/t/box/journal", packet_id, payload)
    wire = write_publication(publication) + write_puback(packet_id)
    packets = Packets()
    whole = [packet for at in range(0, len(wire), piece) for packet in packets.feed(wire[at : at + piece])]
    assert read_publication(whole[0]) == publication
    assert read_puback(whole[1]) == packet_id
    assert len(whole) == 2


def make_raw(data: JournalData, sequence: int, new: SigningKey | None = None) -> bytes:
    cosigner = new if isinstance(data, KeyRotation) else None
    place: dict[str, Any] = {"epoch": "e", "sequence": sequence, "prevhash": "0" * 64, "at": NOON}
    return write_record(data, identity=IDENTITY, cosigner=cosigner, **place).raw


def record_packet(sequence: int, packet_id: int = 1) -> bytes:
    topic = Topic("t", "box", Channel.JOURNAL).text
    return write_publication(Publication(topic, packet_id, make_raw(make_clock(), sequence)))


def test_a_withheld_record_is_acknowledged_and_gone_however_often_it_comes() -> None:
    async def withhold() -> None:
        meddler = Meddler(random.Random(1))
        assert meddler.upwards(record_packet(1)) == ([record_packet(1)], [])
        meddler.withhold(1)
        assert meddler.upwards(record_packet(1)) == ([record_packet(1)], [])
        assert meddler.upwards(record_packet(2)) == ([], [write_puback(1)])
        assert meddler.upwards(record_packet(3)) == ([record_packet(3)], [])
        assert meddler.upwards(record_packet(2, 9)) == ([], [write_puback(9)])
        assert meddler.withheld == {2}
        meddler.relent()
        assert meddler.upwards(record_packet(2)) == ([record_packet(2)], [])

    asyncio.run(withhold())


def test_records_that_are_shuffled_all_arrive_and_the_answers_stay_with_the_meddler() -> None:
    async def shuffle() -> None:
        meddler = Meddler(random.Random(1))
        meddler.shuffles = True
        out = [packet for sequence in range(1, 9) for packet in meddler.upwards(record_packet(sequence))[0]]
        arrived = [publication for packet in out if (publication := read_publication(packet))]
        wanted = [read_publication(record_packet(sequence)) for sequence in range(1, 9)]
        payloads = [each.payload for each in wanted if each]
        assert {each.payload for each in arrived} == set(payloads)
        assert [each.payload for each in arrived] != payloads
        assert all(each.packet_id >= FIRST_OWN_ID for each in arrived)
        assert meddler.downwards(write_puback(arrived[0].packet_id)) == []
        assert meddler.downwards(write_puback(1)) == [write_puback(1)]

    asyncio.run(shuffle())


@asynccontextmanager
async def echo_behind_link() -> AsyncIterator[tuple[Link, asyncio.Server]]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server, Link(server.sockets[0].getsockname()[1], random.Random(1)) as link:
        yield link, server


def test_a_link_passes_bytes_stalls_and_flows_again() -> None:
    async def stall() -> None:
        async with echo_behind_link() as (link, _):
            reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
            writer.write(b"one")
            assert await reader.readexactly(3) == b"one"
            link.stall()
            writer.write(b"two")
            waiting = asyncio.create_task(reader.readexactly(3))
            assert not (await asyncio.wait({waiting}, timeout=0.2))[0]
            link.mend()
            assert await waiting == b"two"
            writer.close()

    asyncio.run(stall())


def test_a_link_that_was_cut_resets_and_refuses_until_it_is_mended() -> None:
    async def cut() -> None:
        async with echo_behind_link() as (link, _):
            reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
            writer.write(b"one")
            assert await reader.readexactly(3) == b"one"
            link.is_refusing = True
            link.cut()
            with pytest.raises(ConnectionResetError):
                await reader.readexactly(1)
            writer.close()
            link.mend()
            reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
            writer.write(b"two")
            assert await reader.readexactly(3) == b"two"
            writer.close()

    asyncio.run(cut())


def test_a_forgotten_connection_stays_open_and_answers_nothing_while_new_ones_work() -> None:
    async def forget() -> None:
        async with echo_behind_link() as (link, _):
            reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
            writer.write(b"one")
            assert await reader.readexactly(3) == b"one"
            link.forget()
            writer.write(b"two")
            waiting = asyncio.create_task(reader.read(3))
            other, to_other = await asyncio.open_connection("127.0.0.1", link.port)
            to_other.write(b"new")
            assert await other.readexactly(3) == b"new"
            assert not waiting.done()
            waiting.cancel()
            writer.close()
            to_other.close()

    asyncio.run(forget())
