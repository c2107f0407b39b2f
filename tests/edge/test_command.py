"""`teawatch edge` as a person or a service manager meets it: what it prints, what it returns."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from alerts.certificates import make_key, make_request, pem_of_key
from alerts.door import keep_certificate
from alerts.identity import CERTIFICATE_FILE, Identity
from alerts.outbox import Outbox
from alerts.transactions import FORKED_RECEIPTS, QUARANTINED_RECORDS
from center.authority import Authority
from edge.check import Result, check_box, look_around
from edge.config import read_config
from edge.settings import Settings
from tests.edge.parts import make_identity

ROOT = Path(__file__).parents[2]
CONFIG = """
cameras:
  - id: cam-1
    url: {url}
    pace: {pace}
    zones: [{{id: everything, polygon: [[0, 0], [1, 0], [1, 1], [0, 1]]}}]
    rules: [{{id: parking, rule: stationary, zone: everything, parameters: {{dwell_s: 3}}}}]
"""


@pytest.fixture
def config(short_clip: Path, tmp_path: Path) -> Path:
    path = tmp_path / "box.yaml"
    path.write_text(CONFIG.format(url=short_clip, pace="loop"))
    return path


def edge(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "teawatch", "edge", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_configuration_that_is_wrong_ends_with_one_line_and_is_not_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "box.yaml"
    path.write_text(CONFIG.format(url="x.avi", pace="loop").replace("stationary", "stationery"))
    done = edge("run", path)
    assert (done.returncode, done.stderr.count("\n")) == (78, 1)
    assert "unknown rule 'stationery'; did you mean 'stationary'?" in done.stderr
    assert done.stdout == ""


def test_rings_larger_than_memory_are_refused_and_not_tried_again_and_check_says_so(tmp_path: Path) -> None:
    make_identity().save(tmp_path)
    path = tmp_path / "box.yaml"
    cameras = [
        CONFIG.format(url="x.avi", pace="loop").partition("cameras:\n")[2].replace("cam-1", f"cam-{number}")
        for number in range(200)
    ]
    clip = "    clip: {ring_mb: 4096}\n    zones:"
    path.write_text("cameras:\n" + "".join(cameras).replace("    zones:", clip))
    run = edge("run", path, "--state", tmp_path)
    assert (run.returncode, run.stderr.count("\n")) == (78, 1)
    assert "the packet rings of 200 cameras may take 819200 MiB" in run.stderr
    looked = edge("check", path, "--state", tmp_path)
    assert "✗ memory: the packet rings of 200 cameras" in looked.stdout
    assert "→ configure smaller rings or fewer cameras" in looked.stdout


def test_a_box_that_is_not_enrolled_says_so_and_what_to_do(config: Path, tmp_path: Path) -> None:
    done = edge("run", config, "--state", tmp_path / "state")
    assert (done.returncode, done.stderr.count("\n")) == (78, 1)
    assert "teawatch edge enrol" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--center", "http://127.0.0.1:9", "--code", "nonsense"), "a code looks like TW1-"),
        (("--center", "nonsense", "--code", "nonsense"), "teawatch edge: "),
    ],
)
def test_enrolling_with_nonsense_is_one_line(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    done = edge("enrol", *arguments, "--state", tmp_path / "state")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert said in done.stderr


def test_a_run_to_the_end_that_watched_not_every_camera_names_those_and_fails(tmp_path: Path) -> None:
    (tmp_path / "notes.avi").write_text("not a film")
    config = tmp_path / "box.yaml"
    section = CONFIG.split("cameras:\n")[1]
    addresses = {"a": tmp_path / "nowhere.avi", "b": tmp_path / "notes.avi", "c": "ftp://127.0.0.1/main"}
    sections = [section.format(url=url, pace="fast").replace("cam-1", name) for name, url in addresses.items()]
    config.write_text("cameras:\n" + "".join(sections))
    make_identity().save(tmp_path / "state")
    done = edge("run", config, "--state", tmp_path / "state", "--until-end", "--events", TEAWATCH_EDGE_DRAIN_S="0")
    said = sorted(line for line in done.stderr.splitlines() if line.startswith("teawatch edge: "))
    assert done.returncode == 1
    assert [line.split(":")[1:3] for line in said] == [[" not watched", f" camera {name}"] for name in addresses]
    assert json.loads(done.stdout.splitlines()[-1])["event"] == "stopped"


def test_sigterm_ends_a_running_box_in_good_order(config: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    make_identity().save(state)
    command = [sys.executable, "-m", "teawatch", "edge", "run", str(config), "--state", str(state), "--events"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as box:
        assert box.stdout is not None
        events = []
        for line in box.stdout:
            events.append(json.loads(line))
            if events[-1]["event"] == "seen":
                box.send_signal(signal.SIGTERM)
                events += [json.loads(rest) for rest in box.stdout]
        assert box.wait(30) == 0
    names = [event["event"] for event in events]
    assert names[0] == "started"
    assert names[-1] == "stopped"
    assert next(each for each in events if each["event"] == "seen")["counts"]["person"] >= 1
    assert events[-1]["peak_rss_mb"] < 450
    with Outbox.open(state / "outbox.sqlite3", identity=Identity.load(state)) as outbox:
        assert outbox.counts().pending_records >= 1


def test_check_names_everything_that_is_wrong_and_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "box.yaml"
    path.write_text(CONFIG.format(url=tmp_path / "nowhere.avi", pace="loop"))
    done = edge("check", path, "--state", tmp_path / "state", COLUMNS="40")
    assert done.returncode == 1
    for part in ("✓ configuration", "✓ model: yolov3_tiny", "✗ camera cam-1", "✗ enrolment", "2 of 7 need attention"):
        assert part in done.stdout
    lines = done.stdout.splitlines()
    (camera,) = [number for number, line in enumerate(lines) if "nowhere.avi" in line]
    assert lines[camera].count("camera cam-1") == 1
    assert lines[camera].endswith("nowhere.avi: no such file")
    assert lines[camera + 1] == "  → check the path"


@pytest.mark.parametrize("running", [False, True])
def test_check_tells_what_the_centre_put_aside_and_of_a_copy_also_of_a_running_box(
    config: Path, tmp_path: Path, *, running: bool
) -> None:
    identity = make_identity()
    identity.save(tmp_path)
    with Outbox.open(tmp_path / "outbox.sqlite3", identity=identity) as outbox:
        with outbox.transaction() as transaction:
            transaction.tally(QUARANTINED_RECORDS, 7)
            transaction.tally(FORKED_RECEIPTS)
        if running:
            found = {each.what: each for each in look_around(config, Settings(state=tmp_path))}
    if not running:
        found = {each.what: each for each in look_around(config, Settings(state=tmp_path))}
    aside = found["records put aside"]
    assert aside.fine
    assert aside.found.startswith("7 so far")
    assert "quarantine page" in aside.advice
    assert ("running already" in found["outbox"].found) is running
    assert not found["identity"].fine
    assert "it was copied, or set back" in found["identity"].found


def test_check_finds_broker_and_centre_unreachable(config: Path, tmp_path: Path) -> None:
    make_identity().save(tmp_path / "state")
    found = {each.what: each for each in look_around(config, Settings(state=tmp_path / "state"))}
    assert [what for what, each in found.items() if not each.fine] == ["broker", "centre"]
    assert "768x576; sees" in found["camera cam-1"].found
    assert "person" in found["camera cam-1"].found
    assert all(each.advice for each in found.values() if not each.fine)


def test_check_says_until_when_the_certificate_is_good_and_what_is_wrong_with_it(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    Authority.make(tmp_path, "test", now)
    authority, key = Authority.load(tmp_path), make_key()
    make_identity(mqtt_tls=True, ca=authority.pem).save(tmp_path / "state")
    settings = Settings(state=tmp_path / "state")

    def look() -> Result:
        (found,) = (each for each in look_around(tmp_path / "no.yaml", settings) if each.what == "certificate")
        return found

    assert not look().fine
    assert "tls.pem" in look().found
    for days, fine, said in ((30, True, "good until"), (-0.5, False, "this box's certificate expired at")):
        life = timedelta(days=days)
        issued = authority.issue_box(make_request(key), tenant="t", device="box-1", at=now, life=life)
        keep_certificate(tmp_path / "state" / CERTIFICATE_FILE, pem_of_key(key), issued.pem)
        assert (look().fine, said in look().found) == (fine, True), look()


@pytest.mark.parametrize(("name", "fine", "found"), [("short.avi", True, "768x576"), ("nowhere.avi", False, "nowhere")])
def test_check_opens_the_main_stream_as_well(
    name: str, found: str, config: Path, short_clip: Path, tmp_path: Path, *, fine: bool
) -> None:
    config.write_text(CONFIG.format(url=f"{short_clip}\n    main_url: {short_clip.with_name(name)}", pace="loop"))
    results = {each.what: each for each in look_around(config, Settings(state=tmp_path / "state"))}
    assert results["camera cam-1"].fine
    main = results["main stream of camera cam-1"]
    assert main.fine is fine
    assert found in main.found
    assert bool(main.advice) is not fine


def test_check_finds_a_model_file_with_the_wrong_hash(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = read_config(config)
    wrong = tmp_path / "model.onnx"
    wrong.write_bytes(loaded.card.file.read_bytes()[:-1] + b"x")
    card = loaded.card.model_copy(update={"file": wrong})
    monkeypatch.setattr("edge.check.read_config", lambda _: dataclasses.replace(loaded, card=card))
    found = {each.what: each for each in look_around(config, Settings(state=tmp_path / "state"))}
    assert not found["model"].fine
    assert loaded.card.sha256 in found["model"].found
    assert found["camera cam-1"].fine


def test_check_never_shows_a_password(tmp_path: Path) -> None:
    path = tmp_path / "box.yaml"
    path.write_text(CONFIG.format(url="rtsp://admin:hunter2@127.0.0.1:9/main", pace="loop"))
    with (tmp_path / "out.txt").open("w") as out:
        fine = check_box(path, Settings(state=tmp_path / "state"), Console(file=out, width=200))
    text = (tmp_path / "out.txt").read_text()
    assert not fine
    assert "rtsp://127.0.0.1:9/main" in text
    assert "hunter2" not in text
