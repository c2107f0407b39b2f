"""USB cameras, by way of a device in user space that keeps to the kernel's documented interface."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from streams.frames import Encoding, Wish
from streams.offers import KINDS, Offer, choose, told
from tests.streams.reels import encode, read
from tests.streams.usb_camera import PACKAGES, UsbCamera, as_jpeg, as_yuyv, footage

pytestmark = pytest.mark.system(*PACKAGES)

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def films(vtest: Path) -> dict[str, list[bytes]]:
    """As most webcams send them: JPEG of several sizes and small raw pictures, which come where nobody asks."""
    frames = footage(vtest, 20)
    return {
        "MJPG-1280x960-30,10": as_jpeg(frame.reformat(1280, 960) for frame in frames[:5]),
        "MJPG-768x576-20,10,5": as_jpeg(frames),
        "YUYV-320x240-20,10,5": as_yuyv(frames, 320, 240),
    }


@pytest.fixture
def webcam(films: dict[str, list[bytes]], tmp_path: Path) -> UsbCamera:
    return UsbCamera(tmp_path / "camera", films)


def play(scene: str, camera: UsbCamera, tmp_path: Path) -> dict[str, Any]:
    """A scene in a process that has the camera."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.streams.usb_scenes", scene, str(tmp_path / "camera")],
        cwd=ROOT,
        env=camera.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_webcam_sends_what_is_asked_of_it_and_else_what_is_most_of_use(webcam: UsbCamera, tmp_path: Path) -> None:
    found = play("wishes", webcam, tmp_path)
    chosen, raw = found["nothing"], found["raw"]
    assert (chosen["codec"], chosen["size"], chosen["rate"], chosen["encoder"]) == ("mjpeg", [768, 576], 10, "")
    assert (chosen["pictures"], chosen["states"]) == ([[576, 768, 3]], ["connecting", "playing"])
    assert all(chosen["keys"])
    assert chosen["steps_s"] == pytest.approx(0.1, abs=0.02), "the kernel's stamps"
    assert found["slow"]["rate"] == 5
    assert found["slow"]["steps_s"] == pytest.approx(0.2, abs=0.02)
    assert (found["large"]["size"], found["large"]["pictures"]) == ([1280, 960], [[960, 1280, 3]])
    assert found["absent"].startswith(
        "failed: camera cam-1: v4l2:///dev/video9 does not send raw 1280x960; it offers mjpeg 1280x960 at 30, 10 · "
        "768x576 at 20, 10, 5, raw 320x240 at 20, 10, 5"
    )
    assert (raw["codec"], raw["size"], raw["pictures"]) == ("mjpeg", [320, 240], [[240, 320, 3]])
    assert raw["encoder"].startswith("libavcodec ")


def test_a_webcam_that_sends_h264_is_asked_for_that_and_decoding_begins_at_its_key_frames(
    webcam: UsbCamera, tmp_path: Path
) -> None:
    reel = read(encode(options={"bf": "0"}))
    UsbCamera(tmp_path / "camera", {"H264-192x144-25": [packet.data for packet in reel]})
    found = play("film", webcam, tmp_path)["chosen"]
    assert (found["codec"], found["size"], found["clip"]) == ("h264", [192, 144], "video/mp4")
    assert [number for number, is_key in enumerate(found["keys"]) if is_key] == [0, 25]
    assert found["pictures"] == [[144, 192, 3]]


def test_why_a_webcam_cannot_be_filmed_is_said_with_what_to_do(webcam: UsbCamera, tmp_path: Path) -> None:
    found = play("refusals", webcam, tmp_path)
    for what, said in {
        "metadata": "failed: camera cam-1: /dev/video10 gives no pictures that can be read here; cameras have several",
        "no device": "unreachable: camera cam-1: /dev/video77: there is no such device; plug the camera in",
        "gone": "unreachable: camera cam-1: v4l2:///dev/video9: there is no such device; plug the camera in",
        "denied": "unreachable: camera cam-1: v4l2:///dev/video9: this user may not open it; add it to the group video",
        "busy": "unreachable: camera cam-1: v4l2:///dev/video9: another program has it; which: fuser -v /dev/video9",
        "a second one": "unreachable: camera cam-1: v4l2:///dev/video9: another program has it",
    }.items():
        assert found[what].startswith(said), what


def test_a_webcam_that_is_pulled_out_or_stuck_is_filmed_again_and_one_that_is_stuck_can_be_stopped(
    webcam: UsbCamera, tmp_path: Path
) -> None:
    found = play("troubles", webcam, tmp_path)
    assert found["states"] == [
        ["connecting", "playing"],
        ["playing", "unreachable"],
        ["unreachable", "unreachable"],
        ["unreachable", "playing"],
    ]
    assert "there is no such device; plug the camera in" in found["pulled out"][0]
    assert "sent nothing for 1 s" in found["stuck"]
    assert found["is stopped"]
    assert found["takes"] == [0, 1, 2]
    assert not found["runs backwards"]


def test_half_a_picture_is_damage_and_not_completed_with_what_memory_still_holds(
    webcam: UsbCamera, tmp_path: Path
) -> None:
    assert play("damage", webcam, tmp_path) == {"pictures": 0, "damaged": 5}


@pytest.mark.system("gst-rtsp-server")
def test_a_pipeline_films_it_too(webcam: UsbCamera, tmp_path: Path) -> None:
    found = play("pipeline", webcam, tmp_path)["chosen"]
    assert (found["codec"], found["states"]) == ("mjpeg", ["connecting", "playing"])
    assert all(found["keys"])


RAW, MJPEG, H264 = (
    next(fourcc for fourcc, kind in KINDS.items() if kind.encoding is encoding)
    for encoding in (Encoding.RAW, Encoding.MJPEG, Encoding.H264)
)
SMALL, HD, FULL = (640, 480), (1280, 720), (1920, 1080)


@pytest.mark.parametrize(
    ("offers", "wish", "chosen"),
    [
        pytest.param([(RAW, SMALL), (MJPEG, FULL), (MJPEG, HD)], Wish(), (MJPEG, HD), id="as large as is of use"),
        pytest.param(
            [(RAW, SMALL), (MJPEG, FULL)], Wish(), (MJPEG, FULL), id="the smallest of those that are too large"
        ),
        pytest.param([(MJPEG, HD), (H264, SMALL)], Wish(), (H264, SMALL), id="H.264 before size"),
        pytest.param([(RAW, HD), (RAW, SMALL)], Wish(), (RAW, SMALL), id="raw ones small"),
        pytest.param([(MJPEG, HD), (RAW, HD)], Wish(encoding=Encoding.RAW), (RAW, HD), id="an encoding asked for"),
        pytest.param([(MJPEG, HD), (RAW, SMALL)], Wish(size_px=SMALL), (RAW, SMALL), id="a size asked for"),
        pytest.param([(MJPEG, HD)], Wish(size_px=(800, 600)), None, id="a size that is not there"),
        pytest.param([], Wish(), None, id="nothing"),
    ],
)
def test_which_of_its_formats_is_asked_for(offers: Any, wish: Wish, chosen: Any) -> None:
    found = choose([Offer(fourcc, *size) for fourcc, size in offers], wish)
    assert (found and (found.fourcc, (found.width, found.height))) == chosen


@pytest.mark.parametrize(
    ("rates", "wanted", "chosen"),
    [
        ((30, 25, 15, 10, 5), None, 10),
        ((30,), None, 30),
        ((7, 5), None, 7),
        ((30, 15, 5), 12.0, 15),
        ((), None, None),
        ((), 12.0, 12),
    ],
)
def test_which_of_its_rates_is_asked_for(rates: Any, wanted: float | None, chosen: float | None) -> None:
    assert Offer(MJPEG, *HD, rates).rate(wanted) == chosen
    assert told([Offer(MJPEG, *HD, rates)]).startswith("mjpeg 1280x720")
