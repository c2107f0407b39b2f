"""A county of real processes for the journeys: a centre with its broker, and a box, as `teawatch` starts them."""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import yaml

from center.demo.processes import Child, run_once, wait_until
from center.demo.stage import Stage, set_up_center, write_box_config
from tests.alerts.brokers import free_port

PATIENCE_S = 120.0


class Events:
    """What a box says, as it says it; may be waited for."""

    def __init__(self) -> None:
        self._said: list[dict[str, Any]] = []
        self._news = threading.Condition()

    def hear(self, line: str) -> None:
        with self._news:
            self._said.append(json.loads(line))
            self._news.notify_all()

    def named(self, name: str) -> list[dict[str, Any]]:
        with self._news:
            return [said for said in self._said if said["event"] == name]

    def wait_for(self, name: str, count: int = 1) -> list[dict[str, Any]]:
        """The events of this name once there are so many of them."""
        with self._news:
            enough = self._news.wait_for(
                lambda: sum(said["event"] == name for said in self._said) >= count, timeout=PATIENCE_S
            )
        assert enough, f"the box never said {name!r} {count} times; last: {self._said[-3:]}"
        return self.named(name)


class Browser:
    """Somebody signed in at the centre, over its JSON interface. The session outlives a restart of the centre."""

    def __init__(self, url: str, name: str, password: str) -> None:
        self.client = httpx.Client(base_url=url, timeout=15)
        answer = self.client.post("/api/v1/session", json={"username": name, "password": password})
        assert answer.status_code == 201, answer.text
        self._token = {"X-CSRF-Token": answer.json()["csrf_token"]}

    def get(self, path: str) -> Any:
        answer = self.client.get(path)
        assert answer.is_success, answer.text
        return answer.json()

    def items(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(path)["items"]
        return found

    def post(self, path: str, **body: Any) -> httpx.Response:
        return self.client.post(path, json=body, headers=self._token)


class County:
    """One centre and one box; `kill` is kill -9."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stage: Stage = set_up_center(
            folder / "center", web_port=free_port(), mqtt_port=free_port(), now=datetime.now(UTC)
        )
        self.events = Events()
        self.center = Child(
            "centre", ["center", "serve", "--data", str(self.stage.center_data)], log=folder / "center.log"
        )
        self.box: Child | None = None
        self._browsers: list[Browser] = []

    @property
    def box_state(self) -> Path:
        return self.folder / "box" / "state"

    def open_center(self) -> None:
        self.center.start()
        url = f"{self.stage.board_url}/api/v1/health"
        assert wait_until(lambda: _answers(url), timeout_s=PATIENCE_S), self.center.last_words()

    def enrol_box(self) -> None:
        run_once(
            [
                *("edge", "enrol", "--center", self.stage.board_url),
                *("--code", self.stage.enrolment_code, "--state", str(self.box_state)),
            ],
            timeout_s=PATIENCE_S,
        )

    def start_box(self, footage: Path, change: Callable[[dict[str, Any]], None], *options: str) -> None:
        """Start the demo's box on this footage, its configuration changed by `change`."""
        path = write_box_config(self.folder / "box", footage=str(footage))
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
        change(config)
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        self.box = Child(
            "box",
            ["edge", "run", str(path), "--state", str(self.box_state), "--events", *options],
            log=self.folder / "box.log",
            on_line=self.events.hear,
        )
        self.box.start()

    def browser(self, name: str = "officer-a") -> Browser:
        password = next(account.password for account in self.stage.accounts if account.name == name)
        self._browsers.append(Browser(self.stage.board_url, name, password))
        return self._browsers[-1]

    def broker(self) -> psutil.Process:
        """The embedded broker's process."""
        found = [process for process in self._center_process().children() if "iotcore" in " ".join(process.cmdline())]
        assert len(found) == 1
        return found[0]

    def kill_center(self) -> None:
        _kill(self._center_process())

    def kill_box(self) -> None:
        assert self.box is not None
        _kill(psutil.Process(self.box.pid))

    def _center_process(self) -> psutil.Process:
        return psutil.Process(self.center.pid)

    def close(self) -> None:
        for child in (self.box, self.center):
            if child is not None:
                child.stop()
        for browser in self._browsers:
            browser.client.close()


def _kill(process: psutil.Process) -> None:
    os.kill(process.pid, signal.SIGKILL)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).is_success
    except httpx.TransportError:
        return False


def only_street(*, dwell_s: float) -> Callable[[dict[str, Any]], None]:
    """Keep the street camera, with this parking limit."""

    def change(config: dict[str, Any]) -> None:
        config["cameras"] = [camera for camera in config["cameras"] if camera["id"] == "cam-street-01"]
        config["cameras"][0]["rules"][0]["parameters"]["dwell_s"] = dwell_s

    return change


@contextmanager
def open_county(folder: Path) -> Iterator[County]:
    county = County(folder)
    try:
        yield county
    finally:
        county.close()


def settled(county: County, browser: Browser, *, leads: int) -> Mapping[str, Any]:
    """Wait until the centre has so many leads, every announced file, and the box nothing left; the box's row."""

    def done() -> bool:
        try:
            found = [browser.get(f"/api/v1/leads/{lead['id']}") for lead in browser.items("/api/v1/leads")]
            device = browser.get("/api/v1/devices")[0]
        except httpx.TransportError:
            return False
        files = [file for lead in found for file in lead["files"]]
        return (
            len(found) >= leads
            and all(file["arrived_at"] for file in files)
            and {"picture", "annotated"} <= {file["role"] for file in files}
            and device["pending_records"] == device["pending_uploads"] == 0
        )

    assert wait_until(done, timeout_s=PATIENCE_S, every_s=0.3), (
        county.events.named("trouble"),
        county.center.last_words(),
    )
    return browser.get("/api/v1/devices")[0]
