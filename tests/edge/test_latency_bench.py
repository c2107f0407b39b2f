"""The bench of latency: a thin line is one line for all, live alerts are timed each, inference is left out."""

import json
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from typer.testing import CliRunner

from alerts.blobs import BlobStore
from alerts.outbox import Outbox
from alerts.publisher import Publisher
from alerts.uploads import ready_uploads
from edge.bench.latency import backlog, thin_line, visible
from edge.bench.latency.command import app
from edge.bench.latency.figures import milliseconds
from edge.bench.latency.processes import Cores
from edge.bench.latency.reporting_box import Happenings, Stretch
from edge.bench.latency.slow_link import SlowLink
from edge.bench.latency.window import Fetch, Sights
from tests.alerts.brokers import IotcoreBroker
from tests.alerts.parts import PASSWORDS, Desk, make_identity

ROOT = Path(__file__).parents[2]
BITS_PER_S = 800_000
LEADS = {
    f"i-{n}": {"id": f"l-{n}", "received_at": datetime.fromtimestamp(100 * n + 0.6, UTC).isoformat()} for n in (1, 2)
}
SIGHTS = Sights(
    heard={"l-1": 100.7, "l-2": 200.7},
    shown={"l-1": 101.0, "l-2": 203.0, "l-9": 1.0},
    fetches=[Fetch(100.75, 100.76, 100.9), Fetch(202.1, 202.6, 202.9), Fetch(203.1, 203.2, 203.3)],
)


def opened(n: int) -> dict[str, object]:
    times = {"captured_s": 100.0 * n, "committed_s": 100 * n + 0.5, "sent_s": 100 * n + 0.55, "confirmed_s": None}
    return {"incident": f"i-{n}", "sequence": n, "inference_s": 0.25, **times}


SAID = {"busy_share": 0.5, "looks_per_s": 1.5, "opened": [opened(1), opened(2), opened(3)]}


def test_the_way_to_the_window_is_counted_from_the_picture_without_the_inference() -> None:
    figures = visible.figures_of(SAID, LEADS, SIGHTS)
    assert (figures["visible_p50_ms"], figures["visible_p95_ms"]) == (750.0, 2750.0)
    assert figures["visible_outbox_p95_ms"] == 250.0
    assert figures["visible_after_outbox_p95_ms"] == 2500.0
    assert (figures["visible_tasks"], figures["visible_missed"]) == (2, 1)


def test_a_task_that_came_late_is_told_with_its_stages() -> None:
    far = opened(2) | {"captured_s": 199.0}
    figures = visible.figures_of(SAID | {"opened": [opened(1) | {"inference_s": 0.4}, far]}, LEADS, SIGHTS)
    assert figures["visible_late"] == [
        {
            "inference": 250,
            "committed": 1500,
            "sent": 1550,
            "received": 1600,
            "confirmed": None,
            "heard": 1700,
            "asked": 3100,
            "connected": 3600,
            "answered": 3900,
            "shown": 4000,
        }
    ]


def test_nothing_measured_is_no_figure() -> None:
    assert milliseconds([], 0.95) is None
    assert milliseconds([0.003, 0.001, 0.002], 0.95) == 3.0


def test_what_is_measured_has_a_core_and_there_is_always_one_for_the_others() -> None:
    cores = Cores.of_this_machine()
    assert len(cores.measured) == 1
    assert cores.others


@contextmanager
def swallowing_server() -> Iterator[tuple[int, list[int]]]:
    """Counts what comes, connection by connection."""
    counts: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def swallow(line: socket.socket, place: int) -> None:
            with line:
                while data := line.recv(65536):
                    counts[place] += len(data)
                line.sendall(b"bye")

        def serve() -> None:
            for place in range(2):
                line, _ = server.accept()
                counts.append(0)
                threading.Thread(target=swallow, args=(line, place), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1], counts


def test_two_connections_share_the_line_and_answers_come_back() -> None:
    size_bytes = 40_000
    with swallowing_server() as (port, counts), SlowLink(BITS_PER_S) as link:
        ways = [link.way_to(port), link.way_to(port)]
        began_s = time.monotonic()
        lines = [socket.create_connection(("127.0.0.1", way.port)) for way in ways]
        senders = [threading.Thread(target=send, args=(line, size_bytes)) for line in lines]
        for sender in senders:
            sender.start()
        for line in lines:
            with line:
                assert line.recv(3) == b"bye"
        took_s = time.monotonic() - began_s
        for sender in senders:
            sender.join()
    assert counts == [size_bytes, size_bytes] == [way.passed_bytes for way in ways]
    assert took_s >= 2 * size_bytes * 8 / BITS_PER_S, "each had a line of its own"


def send(line: socket.socket, size_bytes: int) -> None:
    line.sendall(bytes(size_bytes))
    line.shutdown(socket.SHUT_WR)


def seeded() -> random.Random:
    return random.Random(7)


def test_a_backlog_is_on_the_disk_with_its_files_before_there_is_a_connection(tmp_path: Path) -> None:
    identity, blobs = make_identity(), BlobStore(tmp_path / "evidence")
    stretch = Stretch(backlog=300, every_s=1.0, files=3, picture_bytes=1000)
    with Outbox.open(tmp_path / "outbox.db", identity=identity) as outbox:
        happenings = Happenings(stretch, outbox, blobs, "cam-1", seeded())
        size_bytes = happenings.fill()
        counts = outbox.counts()
        assert size_bytes == len(outbox.due(limit=300)[-1].raw)
        assert (counts.pending_records, counts.pending_uploads) == (300, 3)
        assert not ready_uploads(outbox)
        assert not happenings.has_delivered


def test_live_alerts_are_timed_from_their_commit_to_the_receipt_of_each(tmp_path: Path) -> None:
    with IotcoreBroker(tmp_path, PASSWORDS) as broker:
        identity, blobs = make_identity(mqtt_port=broker.port), BlobStore(tmp_path / "evidence")
        with (
            Desk(identity, broker.port) as desk,
            Outbox.open(tmp_path / "outbox.db", identity=identity) as outbox,
            Publisher(outbox, identity),
        ):
            happenings, enough = Happenings(Stretch(backlog=0, every_s=0.02), outbox, blobs, "cam-1", seeded()), Event()
            outbox.add_listener(lambda: enough.set() if len(happenings.live) >= 3 else None)
            happenings.begin()
            assert enough.wait(20)
            assert happenings.end() == 0
    assert len(happenings.live) == len(desk.records)
    assert all(made_s < there_s for made_s, there_s in happenings.live)


def test_the_process_of_a_reporting_box_says_when_it_is_connected_and_when_its_backlog_is_gone(tmp_path: Path) -> None:
    state = tmp_path / "box"
    with IotcoreBroker(tmp_path, PASSWORDS) as broker:
        identity = make_identity(mqtt_port=broker.port)
        identity.save(state)
        command = [sys.executable, "-m", backlog.BOX, str(state), "cam-1", "7"]
        with (
            Desk(identity, broker.port) as desk,
            subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            ) as box,
        ):
            assert box.stdin
            assert box.stdout
            said = []
            for line, answers in ((Stretch(backlog=20, every_s=60).to_json(), 1), ("go on", 2), ("go on", 1)):
                box.stdin.write(line + "\n")
                box.stdin.flush()
                said += [json.loads(box.stdout.readline()) for _ in range(answers)]
            box.kill()
    assert [each["event"] for each in said] == ["ready", "connected", "delivered", "measured"]
    assert len(desk.records) == 20
    assert (said[-1]["left"], said[-1]["unconfirmed"]) == (0, 0)


def test_more_waits_on_the_thin_line_than_it_carries_in_the_longest_run() -> None:
    carried_bytes = thin_line.BITS_PER_S / 8 * 120
    assert thin_line.WAITING.backlog * 1500 + thin_line.WAITING.files * thin_line.WAITING.picture_bytes > carried_bytes


def test_a_part_that_there_is_not_is_refused_before_anything_starts() -> None:
    answer = CliRunner().invoke(app, ["--only", "everything"])
    assert answer.exit_code == 2
    assert "everything" in answer.output
