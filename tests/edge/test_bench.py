"""The box's bench measures what it says."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.models.networks import write_yolov8

KEYS = {
    "ceiling_fps",
    "busy_fps",
    "ceiling_fps_320",
    "busy_fps_320",
    "ultralytics_fps_320",
    "opencv_loop_fps_320",
    "gated_x",
    "quiet_cameras_per_core",
    "missed_short_events",
    "outbox_p95_ms",
    "reconnect_p99_s",
    "mb_per_camera",
}
WALKERS = [("person", 0.8, (100.0 + 30 * number, 160.0, 20.0, 40.0)) for number in range(6)]


def bench(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "teawatch", "bench", "edge", *map(str, arguments)]
    environment = {**os.environ, **variables}
    return subprocess.run(command, capture_output=True, text=True, timeout=110, check=False, env=environment)


def offline(folder: Path) -> dict[str, str]:
    """An empty cache, and no package to be had."""
    return {"XDG_CACHE_HOME": str(folder / "cache"), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}


def test_one_pass_of_vtest_prints_a_ratio_to_the_bare_network_and_its_incidents(vtest: Path) -> None:
    done = bench(vtest, "--quick", "--json", "--only", "street")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.strip().splitlines()[-1])
    assert said["looks"] == 2 * 40
    assert 0 < said["ratio"] < 1.5
    assert said["street_ceiling_fps"] > 0
    assert said["incidents"]["street.illegal_parking"] == 2


def test_a_missing_clip_is_one_line(tmp_path: Path) -> None:
    done = bench(tmp_path / "nothing.avi")
    assert done.returncode == 1
    assert done.stderr.strip().endswith("no such file")


def test_box_and_plain_loop_are_raced_where_the_peer_cannot_be_installed_and_the_reason_is_said(
    vtest: Path, tmp_path: Path
) -> None:
    """The network is made by hand and says the same about every picture: what is tested is the bench, not a speed."""
    write_yolov8(tmp_path, "320", 320, WALKERS)
    done = bench(vtest, "--quick", "--json", "--only", "race-320", "--weights", tmp_path, **offline(tmp_path))
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.strip().splitlines()[-1])
    assert said.keys() >= KEYS
    assert said["ultralytics_fps_320"] is said["ceiling_fps"] is said["reconnect_p99_s"] is None
    assert "the peer cannot be installed" in done.stderr
    assert said["busy_boxes_per_frame_320"] == said["opencv_loop_boxes_per_frame_320"] == len(WALKERS)
    for name in ("busy", "opencv_loop"):
        assert said[f"{name}_fps_320"] > 0
        assert said[f"{name}_ratio_320"] < 1
        assert 0 < said[f"{name}_fps_320"] < said["ceiling_fps_320"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--only", "speed"), "there is no measurement 'speed'; there is: street, race-320, race-640"),
        (("--weights", "/nowhere", "--only", "race-320"), "/nowhere/320.yaml: cannot be read as a model card"),
    ],
)
def test_what_cannot_be_measured_is_said_in_one_line(
    arguments: tuple[str, ...], message: str, vtest: Path, tmp_path: Path
) -> None:
    assert message in bench(vtest, "--quick", *arguments, **offline(tmp_path)).stderr.splitlines()[0]
