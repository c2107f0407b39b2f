"""A county behind TLS, by the commands people type: enrol, deliver, change the key, shut out."""

import shutil
import signal
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import yaml

from alerts.identity import Identity
from alerts.messages import Clock, ClockQuality
from alerts.outbox import Outbox
from alerts.publisher import Publisher
from alerts.rotation import KeyKeeper
from tests.alerts.parts import Log
from tests.center.processes import PATIENCE_S, CentreProcess, run
from tests.center.stage import BOX, PASSWORD


class SecuredCentre(CentreProcess):
    """`teawatch center serve` with TLS everywhere, and Mosquitto on the files it keeps."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.url = f"https://127.0.0.1:{self.port}"
        self.mosquitto = folder / "mosquitto"
        mqtt = {"tls": True, "embedded": False, "mosquitto": str(self.mosquitto)}
        path = self.folder / "center.yaml"
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"web": {"tls": True}, "mqtt": mqtt}))
        self.broker: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        super().start()
        program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin") or "mosquitto"
        self.broker = subprocess.Popen(
            [program, "-c", str(self.mosquitto / "mosquitto.conf")], stderr=subprocess.DEVNULL
        )

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        if self.broker is not None:
            self.broker.terminate()
            self.broker.wait(PATIENCE_S)
            self.broker = None
        return super().stop(how)

    def wait_until_shut_out(self) -> None:
        """The running centre has noticed, as Mosquitto's files show."""
        rights = self.mosquitto / "acl"
        until_s = time.monotonic() + PATIENCE_S
        while BOX in rights.read_text():
            assert time.monotonic() < until_s, "the centre has not noticed"
            threading.Event().wait(0.1)

    def keys(self, ca: str) -> list[dict[str, str]]:
        """What the API tells of the box's keys."""
        with httpx.Client(base_url=self.url, verify=ssl.create_default_context(cadata=ca)) as client:
            client.post("/api/v1/session", json={"username": "technician", "password": PASSWORD}).raise_for_status()
            (device,) = client.get("/api/v1/devices").json()
        keys: list[dict[str, str]] = device["keys"]
        return keys


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[SecuredCentre]:
    with SecuredCentre(tmp_path / "centre") as process:
        yield process


def report(outbox: Outbox) -> None:
    now = datetime.now(UTC)
    with outbox.transaction() as transaction:
        transaction.append(Clock(boot="b", monotonic_ms=1, utc=now, quality=ClockQuality.UNKNOWN), at=now)


@pytest.mark.system("mosquitto")
def test_enrol_deliver_change_the_key_shut_out(centre: SecuredCentre, tmp_path: Path) -> None:
    state, log = tmp_path / "box", Log()
    centre.enrol(state)
    identity = Identity.load(state)
    assert identity.mqtt_tls

    with Outbox.open(state / "outbox.sqlite3", identity=identity) as outbox:
        keeper = KeyKeeper(outbox, state)
        publisher = Publisher(outbox, identity, on_event=log, resend_after_s=0.5, keys=keeper)
        publisher.start()
        try:
            report(outbox)
            log.wait_total("records_confirmed", "stored", 1, timeout_s=PATIENCE_S)

            run("rotate", BOX, "--data", centre.folder)
            (rotated,) = log.wait("key_rotated", timeout_s=PATIENCE_S)
            report(outbox)
            log.wait_total("records_confirmed", "stored", 3, timeout_s=PATIENCE_S)
            first, second = centre.keys(identity.ca)
            assert (first["ending"], second["ending"]) == ("rotated", "")
            assert second["key_id"] == rotated["key_id"] == Identity.load(state).signing_key.key_id

            run("revoke", BOX, "--data", centre.folder)
            centre.wait_until_shut_out()
            publisher.reconnect()
            (refused, *_) = log.wait("disconnected", timeout_s=PATIENCE_S)
            assert refused["reason"]
            report(outbox)
            assert outbox.counts().pending_records == 1, "what was not taken stays on the box"
        finally:
            publisher.stop(flush_s=0)
