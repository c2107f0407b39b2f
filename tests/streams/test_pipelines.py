"""A GStreamer pipeline of the box's own: any video it gives, its errors in one line, its secrets in nobody's sight."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from streams.errors import AccessDenied, NotAVideo, SourceUnreachable
from streams.frames import Camera
from streams.pipeline_child import package_of
from streams.player import State
from tests.streams.servers import text, web_server
from tests.streams.watching import Watcher, decode, watch_to_the_end

pytestmark = pytest.mark.system("gst-rtsp-server")

TEST_PICTURE = "videotestsrc is-live=true ! video/x-raw,format=I420,width=320,height=240,framerate=15/1"

BOX = f"""
from streams.frames import Camera
from streams.pipeline_child import package_of
from streams.player import Player

player = Player(
    Camera(id="a", pipeline={TEST_PICTURE!r}),
    on_packet=lambda packet: print(packet.index, flush=True),
    on_state=lambda _state, _reason: None,
)
player.start()
player.join(60)
"""


def camera(pipeline: str, silence_s: float = 10.0) -> Camera:
    return Camera(id="cam-1", pipeline=pipeline, silence_s=silence_s)


def children(pid: int | None = None) -> set[int]:
    """Of this process, those that play pipelines or have just ended: what ran before it has children of its own."""
    path = Path(f"/proc/{pid or os.getpid()}/task")
    found = {int(child) for task in path.iterdir() for child in (task / "children").read_text().split()}
    said = {child: Path(f"/proc/{child}/cmdline").read_bytes() for child in found}
    return {child for child, command in said.items() if b"pipeline_child" in command or not command}


@pytest.mark.parametrize(
    ("encoder", "codec"),
    [
        ("", "rawvideo"),
        ("! jpegenc", "mjpeg"),
        ("! x264enc tune=zerolatency key-int-max=5", "h264"),
        ("! x264enc bframes=2 b-adapt=false key-int-max=5 ! h264parse", "h264"),
        ("! x265enc tune=zerolatency key-int-max=5 ! h265parse", "hevc"),
    ],
)
def test_what_a_pipeline_gives_is_played_encoded_or_raw(encoder: str, codec: str) -> None:
    with Watcher(camera(f"{TEST_PICTURE} {encoder}")) as watcher:
        watcher.wait_for_packets(8)
    assert watcher.states == [State.CONNECTING, State.PLAYING]
    assert {packet.coding.codec for packet in watcher.packets} == {codec}
    images = decode(watcher.packets)
    assert len(images) == len(watcher.packets)
    assert {image.frame().picture.shape for image in images} == {(240, 320, 3)}
    times_s = [image.packet.stream_s for image in images]
    assert times_s == sorted(times_s)
    assert times_s[-1] - times_s[0] == pytest.approx((len(times_s) - 1) / 15, abs=0.2)


@pytest.mark.parametrize(
    ("pipeline", "problem"),
    [
        ("videotestsrc ! nosuchthing", 'no element "nosuchthing"'),
        ("videotestsrc ! nvv4l2decoder", 'no element "nvv4l2decoder"; install nvidia-l4t-gstreamer, on a Jetson'),
        ("videotestsrc pattern=", "could not set property"),
        ("filesrc location=/nowhere", "Resource not found."),
        ("videotestsrc ! fakesink", "could not link"),
    ],
)
def test_what_is_wrong_with_a_pipeline_is_one_line(pipeline: str, problem: str) -> None:
    failure = watch_to_the_end(camera(pipeline)).player.failure
    assert isinstance(failure, SourceUnreachable)
    told = str(failure)
    assert told.startswith("camera cam-1: its pipeline fails: ")
    assert problem in told
    assert "\n" not in told


def test_a_camera_in_a_pipeline_that_refuses_the_password_is_not_called_every_four_seconds() -> None:
    with web_server({"/video": text("text/html", b"no", 401)}) as address:
        watcher = watch_to_the_end(camera(f"souphttpsrc location={address}/video ! jpegparse"))
    assert watcher.states[-1] == State.REFUSED
    assert isinstance(watcher.player.failure, AccessDenied)
    assert "; correct it in the configuration" in str(watcher.player.failure)


@pytest.mark.parametrize(
    ("element", "package"),
    [
        ("h264parse", "gstreamer1.0-plugins-bad"),
        ("rtspsrc", "gstreamer1.0-plugins-good"),
        ("rtph265depay", "gstreamer1.0-plugins-good"),
        ("videoconvert", "gstreamer1.0-plugins-base"),
        ("x264enc", "gstreamer1.0-plugins-ugly"),
        ("avdec_h264", "gstreamer1.0-libav"),
        ("nosuchthing", ""),
    ],
)
def test_the_package_of_an_element_is_the_one_it_came_in_here(element: str, package: str) -> None:
    assert package_of(element) == package
    if not (shutil.which("gst-inspect-1.0") and shutil.which("dpkg")):
        return
    seen = subprocess.run(["gst-inspect-1.0", element], capture_output=True, text=True, check=False).stdout
    if library := re.search(r"Filename\s+\S*/(\S+)", seen):
        owner = subprocess.run(["dpkg", "-S", f"*/{library[1]}"], capture_output=True, text=True, check=True).stdout
        assert owner.partition(":")[0] == package


def test_a_child_that_cannot_be_started_is_said_and_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    before = len(list(Path("/proc/self/fd").iterdir()))
    watcher = watch_to_the_end(camera(TEST_PICTURE))
    assert "cam-1: its pipeline failed (FileNotFoundError" in watcher.reasons[State.FAILED]
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_pipeline_of_sound_gives_no_video() -> None:
    failure = watch_to_the_end(camera("audiotestsrc num-buffers=50")).player.failure
    assert isinstance(failure, NotAVideo)
    assert "gives no video; its last element must give" in str(failure)


def test_a_password_inside_a_pipeline_is_neither_said_nor_seen_in_the_list_of_processes() -> None:
    with Watcher(camera(f"{TEST_PICTURE} ! identity name=s3cret")) as watcher:
        watcher.wait_for_packets(1)
        (child,) = children()
        seen = Path(f"/proc/{child}/cmdline").read_bytes() + Path(f"/proc/{child}/environ").read_bytes()
    assert b"pipeline_child" in seen
    assert b"s3cret" not in seen
    told = str(
        watch_to_the_end(camera("rtspsrc location=rtsp://u:s3cret@127.0.0.1:1/x user-pw=s3cret nope=1")).player.failure
    )
    assert "s3cret" not in told
    assert "s3cret" not in repr(camera("user-pw=s3cret"))


def test_stopping_ends_the_child_and_gives_everything_back() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    with Watcher(camera(TEST_PICTURE)) as watcher:
        watcher.wait_for_packets(1)
        assert len(children()) == 1
    assert children() == set()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_pipeline_that_ends_or_is_killed_starts_again() -> None:
    with Watcher(camera(TEST_PICTURE)) as watcher:
        watcher.wait_for_packets(1)
        (child,) = children()
        os.kill(child, signal.SIGKILL)
        watcher.wait_for(State.UNREACHABLE)
        watcher.wait_for(State.PLAYING, times=2)
        assert child not in children()
    assert watcher.player.reconnects == 1


def test_a_pipeline_that_gives_nothing_is_started_again_though_it_runs() -> None:
    with Watcher(camera("appsrc ! image/jpeg,width=64,height=48,framerate=5/1", silence_s=0.5)) as watcher:
        watcher.wait_for(State.UNREACHABLE)
    assert "sent nothing for 0.5 s" in watcher.reasons[State.UNREACHABLE]


def test_no_child_outlives_a_box_that_is_killed() -> None:
    box = subprocess.Popen([sys.executable, "-c", BOX], stdout=subprocess.PIPE, text=True)
    assert box.stdout is not None
    assert box.stdout.readline() == "0\n"
    (child,) = children(box.pid)
    box.kill()
    box.wait()
    box.stdout.close()
    pause = threading.Event()
    for _ in range(200):
        if not Path(f"/proc/{child}").exists():
            break
        pause.wait(0.05)
    assert not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text().split()[2]
