"""A centre as people run it: processes started by their commands, killed without warning, started again."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import httpx

from alerts.enrolment import enrol
from alerts.identity import Identity
from center.app import make_office
from center.boxes.enrolment import give_code
from center.keyring import load_keyring
from center.settings import load_settings
from tests.alerts.brokers import free_port
from tests.center.stage import BOX, PASSWORD, make_settings

TEAWATCH = (sys.executable, "-m", "teawatch")
PATIENCE_S = 40


def run(*arguments: str | Path, expect: int = 0, given: str = "") -> subprocess.CompletedProcess[str]:
    """One `teawatch center …` command, to its end."""
    command = [*TEAWATCH, "center", *map(str, arguments)]
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == expect, (done.returncode, done.stdout, done.stderr)
    return done


class CentreProcess:
    """`teawatch center serve` on the demo county in this folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = make_settings(folder).data
        self.port, self.mqtt_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[str] | None = None
        self.events: list[dict[str, Any]] = []
        self._lines: queue.Queue[dict[str, Any]] = queue.Queue()
        self._reader: threading.Thread | None = None

    def start(self) -> None:
        """Start, and return when it is open."""
        ports = ["--port", str(self.port), "--mqtt-port", str(self.mqtt_port)]
        command = [*TEAWATCH, "center", "serve", "--data", str(self.folder), *ports]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self._lines = queue.Queue()
        self._reader = threading.Thread(target=self._read, args=(self.process, self._lines), daemon=True)
        self._reader.start()
        self.wait("centre_open")

    def _read(self, process: subprocess.Popen[str], said: queue.Queue[dict[str, Any]]) -> None:
        assert process.stderr is not None
        with process.stderr as lines:
            for line in lines:
                said.put(json.loads(line))
        said.put({"event": "ended"})

    def wait(self, event: str) -> dict[str, Any]:
        """The next line of the log with this event."""
        while True:
            said = self._lines.get(timeout=PATIENCE_S)
            self.events.append(said)
            if said["event"] == event:
                return said
            assert said["event"] != "ended", self.events

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it; its exit status."""
        if self.process is None:
            return 0
        process, self.process = self.process, None
        process.send_signal(how)
        status = process.wait(PATIENCE_S)
        assert self._reader is not None
        self._reader.join(PATIENCE_S)
        return status

    def kill(self) -> None:
        """Kill -9."""
        self.stop(signal.SIGKILL)

    def kill_broker(self) -> None:
        """Kill -9 of the broker; returns when the centre has started another."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        threads = Path(f"/proc/{self.process.pid}/task").iterdir()
        children += [child for thread in threads for child in (thread / "children").read_text().split()]
        brokers = {int(pid) for pid in children if b"iotcore" in Path(f"/proc/{pid}/cmdline").read_bytes()}
        assert len(brokers) == 1
        os.kill(brokers.pop(), signal.SIGKILL)
        self.wait("broker_restarted")

    def enrol(self, folder: Path, name: str = BOX) -> Identity:
        """A box with an identity in this folder; its code is given out beside the running centre."""
        office = make_office(load_settings(self.folder), load_keyring(load_settings(self.folder)))
        with closing(office.database), office.database.writing() as session:
            code = give_code(
                session,
                tenant=office.settings.tenant,
                device=name,
                key=office.keyring.signing_key,
                at=office.now(),
                valid=timedelta(minutes=5),
                replace=True,
            )
        return enrol(self.url, code, folder)

    @contextmanager
    def sign_in(self, name: str = "officer-a") -> Iterator[httpx.Client]:
        """A browser signed in."""
        with httpx.Client(base_url=self.url, timeout=20) as client:
            answer = client.post("/api/v1/session", json={"username": name, "password": PASSWORD})
            assert answer.status_code == 201, answer.text
            client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
            yield client

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
