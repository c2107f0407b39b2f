"""A configuration that changes while the box runs: what differs is changed, the rest notices nothing."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from alerts.errors import OutboxFull
from alerts.identity import Identity
from alerts.messages import Alert
from alerts.outbox import Outbox
from alerts.records import read_record
from edge.config import read_config
from edge.duties import duties_of, orphan_witness_of, posts_of, witnesses_of
from edge.recorder import Recorder
from edge.reloading import Reloading
from tests.edge.parts import Bench, make_identity
from tests.edge.test_box import Rig

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
WHOLE = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
RIGHT = [(0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0)]


def camera(
    name: str, film: Path, *, polygon: list[tuple[float, float]] = WHOLE, **changes: object
) -> dict[str, object]:
    return {
        "id": name,
        "url": str(film),
        "pace": "loop",
        "zones": [{"id": "yard", "polygon": [list(corner) for corner in polygon]}],
        "rules": [{"id": "parking", "rule": "stationary", "zone": "yard", "parameters": {"dwell_s": 2}}],
    } | changes


def write(path: Path, *cameras: dict[str, object], **more: object) -> None:
    path.write_text(yaml.safe_dump({"cameras": list(cameras), **more}))


class Running:
    """`teawatch edge run` as a process of its own: what it says, and what its port shows."""

    def __init__(self, config: Path, state: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [sys.executable, "-m", "teawatch", "edge", "run", str(config), "--state", str(state), "--events"]
        environment = {**os.environ, "TEAWATCH_EDGE_METRICS_PORT": str(self.port), "TEAWATCH_EDGE_SESSIONS": "1"}
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.said: list[dict[str, Any]] = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.said.append(json.loads(line))
                self._news.notify_all()

    def wait_for(self, claim: Callable[[dict[str, Any]], object], since: int = 0) -> dict[str, Any]:
        def found() -> dict[str, Any] | None:
            return next((event for event in self.said[since:] if claim(event)), None)

        with self._news:
            event = self._news.wait_for(found, PATIENCE_S)
        assert event is not None, self.said[-5:]
        return event

    def reload(self) -> int:
        """From which event on the answer is to be looked for."""
        since = len(self.said)
        self.process.send_signal(signal.SIGHUP)
        return since

    def cameras(self) -> dict[str, dict[str, Any]]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/snapshot.json", timeout=10) as answer:
            return {each["camera"]: each for each in json.load(answer)["cameras"]}

    def states(self, name: str, since: int = 0) -> list[str]:
        return [
            event["state"]
            for event in self.said[since:]
            if event["event"] == "camera_state" and event["camera"] == name
        ]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self._reader.join(30)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def running(short_clip: Path, tmp_path: Path) -> Iterator[Running]:
    config, state = tmp_path / "box.yaml", tmp_path / "state"
    make_identity().save(state)
    write(config, camera("stays", short_clip), camera("goes", short_clip))
    box = Running(config, state)
    yield box
    box.stop()


def test_a_running_box_takes_up_its_changed_file_at_a_signal(
    running: Running, short_clip: Path, tmp_path: Path
) -> None:
    config = tmp_path / "box.yaml"
    opened = running.wait_for(lambda event: event["event"] == "incident_opened" and event["camera"] == "goes")
    before = running.cameras()["stays"]

    config.write_text("cameras: [ {")
    since = running.reload()
    trouble = running.wait_for(lambda event: event["event"] == "trouble", since)
    assert trouble["what"] == "configuration"
    assert "box.yaml" in trouble["reason"]
    assert trouble["reason"].endswith("the old one stays in force")
    assert set(running.cameras()) == {"stays", "goes"}

    write(config, camera("stays", short_clip, polygon=RIGHT), camera("comes", short_clip))
    since = running.reload()
    assert running.wait_for(lambda event: event["event"] == "reloaded", since)["cameras"] == ["stays", "comes"]
    closed = running.wait_for(lambda event: event["event"] == "incident_closed", since)
    assert (closed["incident"], closed["reason"]) == (opened["incident"], "not_configured")
    for name in ("stays", "comes"):
        running.wait_for(lambda event: event["event"] == "seen" and event["camera"] == name, since)  # noqa: B023 - asked at once
    after = running.cameras()
    assert set(after) == {"stays", "comes"}
    assert after["stays"]["packets"] > before["packets"] > 0
    assert (after["stays"]["reconnects"], running.states("stays", since)) == (0, [])

    running.stop()
    state = tmp_path / "state"
    identity = Identity.load(state)
    keys = {identity.signing_key.key_id: identity.signing_key.verify_key}
    with Outbox.open(state / "outbox.sqlite3", identity=identity) as outbox:
        records = [read_record(pending.raw, keys.get).data for pending in outbox.due(limit=1000)]
    phases = [each.phase for each in records if isinstance(each, Alert) and each.incident == opened["incident"]]
    assert phases == ["opened", "closed"]


class Reloaded:
    """A box that is not a process: its configuration is a file, its detector sees nothing."""

    def __init__(self, folder: Path, film: Path) -> None:
        self.config = folder / "box.yaml"
        self.film = film
        write(self.config, camera("a", film))
        loaded = read_config(self.config)
        self.rig = Rig(folder / "state", until_end=False)
        self.box = self.rig.box
        self.upload_limits: list[int] = []
        self.reloading = Reloading(loaded, self.box, self.rig.tell, limit_uploads=self.upload_limits.append)
        posts = [post for section in loaded.config.cameras for post in posts_of(section)]
        self.box.use(
            duties_of(loaded), lambda recorder: recorder.use(posts, witnesses_of(loaded), orphan_witness_of(loaded))
        )

    def reload(self) -> list[tuple[str, dict[str, Any]]]:
        """What it says to that."""
        self.rig.said.clear()
        self.reloading.ask()
        self.reloading()
        return self.rig.said

    @property
    def names(self) -> list[str]:
        return [each.camera for each in self.box.snapshots()]


@pytest.fixture
def reloaded(short_clip: Path, tmp_path: Path) -> Reloaded:
    return Reloaded(tmp_path, short_clip)


def test_another_limit_of_uploads_holds_from_then_on(reloaded: Reloaded) -> None:
    write(reloaded.config, camera("a", reloaded.film), uploads={"limit_kbit_s": 200})
    assert [event for event, _ in reloaded.reload()] == ["reloaded"]
    assert reloaded.upload_limits == [200_000]


def test_nothing_is_read_before_somebody_asks_and_once_only(reloaded: Reloaded) -> None:
    reloaded.config.unlink()
    reloaded.reloading()
    assert reloaded.rig.said == []
    assert [event for event, _ in reloaded.reload()] == ["trouble"]
    reloaded.rig.said.clear()
    reloaded.reloading()
    assert reloaded.rig.said == []


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        ("cameras: [", "box.yaml"),
        ("", "the file is empty"),
        ("cameras: []", "cameras"),
        (yaml.safe_dump({"cameras": [camera("a", Path("x.avi"), rules=[])]}), "rules"),
        (
            yaml.safe_dump({"cameras": [camera("a", Path("x.avi"))], "detector": {"score": 0.9}}),
            "at the next start only",
        ),
        (yaml.safe_dump({"cameras": [camera("a", Path("x.avi"), clip={"ring_mb": 4096})]}), "configure smaller rings"),
    ],
)
def test_a_file_with_a_mistake_changes_nothing_and_is_said(
    mistake: str, said: str, reloaded: Reloaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.duties.memory_bytes", lambda: 4 * 1024**3)
    reloaded.config.write_text(mistake)
    ((event, fields),) = reloaded.reload()
    assert (event, fields["what"]) == ("trouble", "configuration")
    assert said in fields["reason"]
    assert "the old one stays in force" in fields["reason"]
    assert reloaded.names == ["a"]


def test_after_a_mistake_the_mended_file_is_taken_up(reloaded: Reloaded) -> None:
    reloaded.config.write_text("nonsense")
    reloaded.reload()
    write(reloaded.config, camera("a", reloaded.film), camera("b", reloaded.film))
    assert [event for event, _ in reloaded.reload()] == ["reloaded"]
    assert reloaded.names == ["a", "b"]


def test_the_same_file_again_changes_no_camera_and_no_rule(reloaded: Reloaded) -> None:
    (station,) = reloaded.box._stations.values()
    watch = station.eye.watch
    assert [event for event, _ in reloaded.reload()] == ["reloaded"]
    assert list(reloaded.box._stations.values()) == [station]
    assert station.eye.watch is watch


def test_when_the_disk_is_full_the_old_cameras_stay(reloaded: Reloaded, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OutboxFull("the disk is full")

    write(reloaded.config, camera("b", reloaded.film))
    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "use", full)
        ((event, fields),) = reloaded.reload()
    assert (event, fields["reason"]) == ("trouble", "the disk is full; the old one stays in force")
    assert reloaded.names == ["a"]
    reloaded.reload()
    assert reloaded.names == ["b"]


def test_a_recorder_that_could_not_change_goes_on_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "box.yaml", camera("a", tmp_path / "x.avi"))
    loaded = read_config(tmp_path / "box.yaml")
    posts = posts_of(loaded.config.cameras[0])
    bench = Bench(tmp_path / "state", make_identity(), posts).start()
    bench.watch([0.0, 0.5, 1.0, 1.5, 2.0, 2.5], ("car", (100, 100, 200, 200)), camera="a")

    def full(*_: object, **__: object) -> None:
        raise OutboxFull("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(bench.outbox, "transaction", full)
        with pytest.raises(OutboxFull):
            bench.recorder.use([], {}, orphan_witness_of(loaded))
    bench.watch([20.0 + number / 2 for number in range(80)], camera="a")
    assert [phase for phase, _ in bench.phases()] == ["opened", "closed"]
    bench.stop()


@pytest.mark.parametrize("until_end", [False, True])
def test_what_is_read_anew_still_ends_with_its_files_or_does_not(
    short_clip: Path, tmp_path: Path, *, until_end: bool
) -> None:
    config = tmp_path / "box.yaml"
    write(config, camera("a", short_clip))
    ends: list[bool] = []
    box = SimpleNamespace(use=lambda duties, _renew: ends.extend(duty.plan.until_end for duty in duties))
    reloading = Reloading(read_config(config), box, lambda *_, **__: None, until_end=until_end)  # type: ignore[arg-type]
    reloading.ask()
    reloading()
    assert ends == [until_end]
