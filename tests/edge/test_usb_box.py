"""A box whose camera hangs on USB, from the plug to the alert and its clip; and what a technician is told of it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import pytest

from alerts.blobs import BlobStore
from alerts.messages import Alert, Evidence, Phase
from edge.settings import EVIDENCE_FOLDER
from tests.edge.parts import make_identity
from tests.edge.test_command import ROOT
from tests.edge.test_crashes import records_of
from tests.streams.usb_camera import NODE, PACKAGES, UsbCamera, as_jpeg, as_yuyv, footage

pytestmark = pytest.mark.system(*PACKAGES)

EDGE = (sys.executable, "-m", "teawatch", "edge")
PICTURES = 60
CONFIG = f"""
cameras:
  - id: cam-1
    url: {NODE}
    silence_s: 2
    usb: {{encoding: mjpeg}}
    clip: {{pre_roll_s: 1, post_roll_s: 1}}
    zones: [{{id: everything, polygon: [[0, 0], [1, 0], [1, 1], [0, 1]]}}]
    rules: [{{id: people, rule: presence, zone: everything, parameters: {{min_s: 0.5}}}}]
"""


@pytest.fixture
def webcam(vtest: Path, tmp_path: Path) -> UsbCamera:
    frames = footage(vtest, PICTURES)
    films = {"MJPG-768x576-10": as_jpeg(frames), "YUYV-640x480-10": as_yuyv(frames[:3], 640, 480)}
    return UsbCamera(tmp_path / "camera", films)


def watch(webcam: UsbCamera, config: Path, state: Path) -> list[dict[str, Any]]:
    """What a box says until it has cut a clip, and then until it plays again after its camera was pulled out."""
    heard: list[dict[str, Any]] = []
    with subprocess.Popen(
        [*EDGE, "run", str(config), "--state", str(state), "--events"],
        cwd=ROOT,
        env=webcam.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as box:
        assert box.stdout is not None
        for line in box.stdout:
            heard.append(json.loads(line))
            states = [each["state"] for each in heard if each["event"] == "camera_state"]
            if heard[-1]["event"] == "clip_queued":
                webcam.tell("gone")
            elif states[-1:] == ["unreachable"]:
                webcam.tell()
            elif states[-2:] == ["unreachable", "playing"]:
                break
        box.terminate()
        heard += [json.loads(line) for line in box.stdout]
    assert box.returncode == 0
    return heard


def test_a_box_with_a_webcam_raises_an_alert_and_cuts_a_clip_and_goes_on_after_the_plug_was_pulled(
    webcam: UsbCamera, vtest: Path, tmp_path: Path
) -> None:
    config, state = tmp_path / "box.yaml", tmp_path / "state"
    config.write_text(CONFIG)
    make_identity().save(state)
    heard = watch(webcam, config, state)
    said = [each["reason"] for each in heard if each["event"] == "camera_state" and each["state"] == "unreachable"]
    assert said[0] == f"camera cam-1: {NODE}: was pulled out, or lost its power; check plug, cable and hub"
    messages = [record.data for record in records_of(state)]
    (alert,) = [each for each in messages if isinstance(each, Alert) and each.phase is Phase.OPENED]
    assert (alert.frame.width, alert.frame.height) == (768, 576)
    artefacts = [artefact for each in messages if isinstance(each, Evidence) for artefact in each.artefacts]
    clip = next(each for each in artefacts if each.role == "clip")
    assert (clip.media_type, clip.falls_short) == ("video/matroska", ())
    assert clip.packets is not None
    assert (clip.packets.codec, clip.packets.decoder, clip.packets.encoder) == ("mjpeg", "", "")
    filmed = set(as_jpeg(footage(vtest, PICTURES)))
    with av.open(str(BlobStore(state / EVIDENCE_FOLDER).path(clip.sha256))) as container:
        assert {bytes(packet) for packet in container.demux(video=0) if packet.size} <= filmed, "bit for bit"


def test_probing_a_webcam_tells_what_it_offers_and_advises_nothing_that_it_cannot_do(webcam: UsbCamera) -> None:
    command = [*EDGE, "probe", NODE, "--seconds", "1"]
    done = subprocess.run(
        command, cwd=ROOT, env=webcam.environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "MJPEG Baseline, 768x576" in done.stdout
    assert "offers        mjpeg 768x576 at 10, raw 640x480 at 10" in done.stdout
    assert "clock" not in done.stdout
    assert "H.264" not in done.stdout
    assert "MB a second, in memory and in clips" in done.stdout
