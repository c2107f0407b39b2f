"""`teawatch edge top` on a terminal: trouble on top, at any width, for as long as somebody looks."""

import dataclasses
import io
import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from rich.console import Console
from typer.testing import CliRunner, Result

from edge.cli import app
from edge.dashboard import draw, falling_behind, percentile, rank
from edge.metrics_server import MetricsServer
from edge.snapshot import BoxSnapshot, CameraSnapshot
from tests.edge.snapshots import BOX, GARDEN, STREET

ROOT = Path(__file__).parents[2]
QUIET = CameraSnapshot(camera="well", state="playing", looks=1000, due=2000)
WATCHED_S = 20.0


def screen(box: BoxSnapshot, width: int, rows: int | None = None, notice: str = "") -> list[str]:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(draw(box, width=width, rows=rows, notice=notice))
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


WORST_FIRST = (
    dataclasses.replace(QUIET, camera="refused", state="refused"),
    dataclasses.replace(QUIET, camera="covered", health=("covered",)),
    dataclasses.replace(QUIET, camera="no main", main_state="unreachable", main_reason="camera no main: no answer"),
    dataclasses.replace(QUIET, camera="connecting", state="connecting"),
    dataclasses.replace(QUIET, camera="behind", late=21),
    dataclasses.replace(QUIET, camera="parked", open_incidents=1),
    dataclasses.replace(QUIET, camera="busy", depth="awake", late=20),
    QUIET,
    dataclasses.replace(QUIET, camera="a file", state="ended"),
)


def test_what_needs_somebody_stands_on_top() -> None:
    by_name = sorted(WORST_FIRST, key=lambda camera: camera.camera)
    behind = falling_behind(dataclasses.replace(BOX, cameras=WORST_FIRST))
    ranked = sorted(by_name, key=lambda camera: rank(camera, behind))
    assert by_name != ranked
    assert [camera.camera for camera in ranked] == [camera.camera for camera in WORST_FIRST]


def test_a_main_stream_that_does_not_play_is_trouble_and_said_with_its_reason() -> None:
    box = dataclasses.replace(BOX, cameras=WORST_FIRST[2:3])
    said = screen(box, 100)
    assert "1 in trouble" in said[0]
    assert said[-1] == "no main: main stream: no answer"


def test_what_was_late_counts_for_a_while_and_is_said() -> None:
    def box(camera: str, due: int, late: int) -> BoxSnapshot:
        return dataclasses.replace(BOX, cameras=(dataclasses.replace(QUIET, camera=camera, due=due, late=late),))

    before, after = box("lane", 1000, 500), box("lane", 1100, 501)
    assert falling_behind(before) == {"lane": "500 of 1000 looks late since the start: too much for this box"}
    assert falling_behind(after, before) == {}
    assert falling_behind(box("lane", 1020, 507), before) == {
        "lane": "7 of 20 looks late lately: too much for this box"
    }
    assert list(falling_behind(box("lane", 1100, 502), before)) == ["lane"]
    assert list(falling_behind(box("lane", 50, 20), before)) == ["lane"], "the box was started anew"
    assert list(falling_behind(box("road", 50, 20), before)) == ["road"], "the camera is new"
    lines = screen(before, 80)
    assert "1 in trouble" in lines[0]
    assert lines[-1] == "lane: 500 of 1000 looks late since the start: too much for this box"


@pytest.mark.parametrize("width", [80, 100, 160, 200])
def test_every_line_fits_the_screen_and_every_camera_is_there(width: int) -> None:
    long = dataclasses.replace(
        STREET,
        camera="a-camera-with-a-very-long-name-behind-the-drying-hall",
        state="unreachable",
        packets_per_s=120.0,
        dropped=99_999_999,
        late=99_999,
        sees={f"class {number}": number for number in range(20)},
    )
    lines = screen(dataclasses.replace(BOX, cameras=(long, STREET, GARDEN)), width)
    assert max(map(len, lines)) <= width
    assert any(line.startswith("a-camera-with") and "unreachable" in line and "99M" in line for line in lines)


def test_the_figures_of_box_and_camera_are_there_and_more_of_them_on_a_wide_screen() -> None:
    narrow, wide = screen(BOX, 80), screen(BOX, 160)
    for lines in (narrow, wide):
        head = "\n".join(lines[:4])
        for part in (
            "box-7",
            "2 in trouble",
            "2, 75% busy",
            "queue 5",
            "11 records, 12 files",
            "62 °C CPU-therm",
            "7 MiB",
        ):
            assert part in head
        (street,) = [line.split() for line in lines if line.startswith("street ")]
        assert street[1:8] == ["playing", "awake", "25.5", "3.2", "2", "105", "106"]
    (garden,) = [line for line in narrow if line.startswith("garden: ")]
    assert garden == "garden: rtsp://10.0.0.8/main does not answer"
    (street,) = [line for line in wide if line.startswith("street ")]
    assert street.split()[8:13] == ["107", "108", "30", "7.0", "219"]
    assert street.endswith("1 car, 4 person")


def test_a_low_screen_shows_the_worst_cameras_and_counts_the_others() -> None:
    many = tuple(dataclasses.replace(QUIET, camera=f"cam-{number:02}") for number in range(60))
    lines = screen(dataclasses.replace(BOX, cameras=(*many, GARDEN)), 80, rows=18)
    assert len(lines) <= 24
    assert lines[6].startswith("garden ")
    assert any("more, none of them in trouble" in line for line in lines)


def test_nothing_that_a_terminal_obeys_reaches_it() -> None:
    nasty = dataclasses.replace(GARDEN, camera="evil\x1b[2J", reason="line\nbreak\x07")
    text = "\n".join(screen(dataclasses.replace(BOX, cameras=(nasty,)), 80))
    assert "\x1b" not in text
    assert "evil?[2J: line?break?" in text


def test_a_percentile_is_one_of_the_samples() -> None:
    samples = [float(number) for number in range(100, 0, -1)]
    assert [percentile(samples, share) for share in (0.0, 0.5, 0.95, 1.0)] == [1.0, 51.0, 96.0, 100.0]


@pytest.fixture
def server() -> Iterator[MetricsServer]:
    server = serve(BOX)
    yield server
    server.stop()


def serve(box: BoxSnapshot, port: int = 0) -> MetricsServer:
    return MetricsServer("127.0.0.1", port, CollectorRegistry(), lambda: box)


def top(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["top", *arguments])


def test_once_prints_the_view_and_ends(server: MetricsServer) -> None:
    done = top("--once", "--url", f"http://127.0.0.1:{server.port}/")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "street" in done.stdout


def test_json_is_the_snapshot_for_programs(server: MetricsServer) -> None:
    done = top("--once", "--json", "--url", f"http://127.0.0.1:{server.port}")
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["cameras"][0]["camera"] == "street"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:1", "no box answers at http://127.0.0.1:1 (connection refused); is it running"),
        ("nonsense", "nonsense is no address of a box; write it like http://127.0.0.1:8329"),
    ],
)
def test_a_box_that_is_not_running_is_one_line_and_exit_code_1(url: str, said: str) -> None:
    done = top("--url", url)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert said in done.stderr


class Terminal:
    """A command on a terminal of its own, 80 columns wide."""

    def __init__(self, *arguments: str) -> None:
        self._ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, 80))
        command = [sys.executable, "-m", "teawatch", "edge", "top", *arguments]
        environment = {**os.environ, "TERM": "xterm-256color"}
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)
        self.shown = b""

    def wait_for(self, text: str) -> None:
        """Read on until `text` is shown anew."""
        deadline_s = time.monotonic() + WATCHED_S
        self.shown = b""
        while text.encode() not in self.shown:
            ready, _, _ = select.select([self._ours], [], [], max(0.0, deadline_s - time.monotonic()))
            assert ready, f"{text!r} was never shown"
            self.shown += os.read(self._ours, 65536)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)


def test_it_follows_a_box_through_a_restart_and_ends_cleanly_with_ctrl_c() -> None:
    server = serve(BOX)
    port = server.port
    terminal = Terminal("--url", f"http://127.0.0.1:{port}")
    try:
        terminal.wait_for("street")
        server.stop()
        terminal.wait_for("the box has not answered for")
        server = serve(dataclasses.replace(BOX, device="box-8"), port)
        terminal.wait_for("TeaWatch box box-8")
        terminal.process.send_signal(signal.SIGINT)
        terminal.wait_for("\x1b[?1049l")
        assert terminal.process.wait(WATCHED_S) == 0
        assert b"Traceback" not in terminal.shown
    finally:
        terminal.close()
        server.stop()
