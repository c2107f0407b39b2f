"""The demo as a newcomer runs it, and what it says when it cannot."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.alerts.brokers import free_port


def demo(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "teawatch", "demo", "--until-task", "--json", *options],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


@pytest.mark.timeout(200)
def test_the_demo_opens_and_acknowledges_a_task_and_shows_the_shoppers_page(vtest: Path) -> None:
    done = demo("--video", str(vtest), "--port", str(free_port()), "--mqtt-port", str(free_port()))
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.strip().splitlines()[-1])
    assert said["acknowledged"] is True
    assert min(said["frames"], said["incidents"], said["alerts"], said["tasks"]) >= 1
    assert said["tasks"] <= said["incidents"]
    assert "/01/0950600" in said["trace_url"]
    assert said["peak_rss_mb"] < 1000


@pytest.mark.timeout(120)
def test_footage_without_a_violation_makes_no_task_and_the_demo_says_so(shared: Path) -> None:
    empty = shared / "footage" / "car-detection.mp4"
    ports = ("--port", str(free_port()), "--mqtt-port", str(free_port()))
    done = demo("--video", str(empty), "--timeout-s", "20", *ports)
    assert done.returncode == 1
    assert "no task within 20 s" in done.stderr
    assert not done.stdout.strip()


def test_a_missing_file_ends_the_demo_with_one_line(tmp_path: Path) -> None:
    done = demo("--video", str(tmp_path / "nothing.avi"))
    assert done.returncode == 1
    assert done.stderr.strip().endswith("no such file")
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_file_that_is_no_video_ends_the_demo_with_one_line(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<p>not a video</p>")
    done = demo("--video", str(page), "--port", str(free_port()), "--mqtt-port", str(free_port()))
    assert done.returncode == 1
    assert "page.html" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_address_that_is_no_camera_ends_the_demo_with_one_line() -> None:
    done = demo("--camera", "http://u:s3cret@127.0.0.1:9/")
    assert done.returncode == 1
    assert "is no camera's address" in done.stderr
    assert "s3cret" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("address", ["rtsp://u:s3cret@127.0.0.1:9/main", "rtsp://127.0.0.1:9/user=u_password=s3cret"])
def test_a_login_in_an_argument_is_refused_with_where_to_put_it(address: str) -> None:
    refused = demo("--camera", address)
    assert refused.returncode == 1
    assert "put the address into the environment instead: TEAWATCH_DEMO_CAMERA" in refused.stderr
    assert "s3cret" not in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1


def test_an_address_in_the_environment_is_taken_with_its_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAWATCH_DEMO_CAMERA", "http://u:s3cret@127.0.0.1:9/")
    done = demo("--port", str(free_port()), "--mqtt-port", str(free_port()))
    assert "is no camera's address: it begins with rtsp://" in done.stderr, "that is all that is wrong with it"


def test_a_port_in_use_is_named_before_anything_starts() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = demo("--port", str(port))
    assert done.returncode == 1
    assert f"port {port} (pages) is in use" in done.stderr
