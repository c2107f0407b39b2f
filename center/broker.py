"""The embedded MQTT broker: iotcore (rumqttd inside) as a process of its own, kept alive.

It listens on 127.0.0.1 unless the settings say otherwise, has a password of each box and of the centre, and refuses
everybody else. rumqttd reads its users once, at its start, so a newly enrolled box means a restart; that takes a
fraction of a second, and boxes resend what has no receipt. If the process dies it is started again.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import structlog

from center.background import Rounds
from center.errors import BrokerTrouble, PortInUse

START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 2.0
WATCH_EVERY_S = 0.25
MAX_PAUSE_S = 5.0
PORT_PATIENCE_S = 2.0

log = structlog.get_logger()


def configuration(
    host: str, port: int, passwords: Mapping[str, str], max_payload_bytes: int, pair: Path | None = None
) -> str:
    """The broker's TOML. The `auth` table switches anonymous clients off; JSON strings are TOML strings too.

    With `pair` it speaks TLS. It shows its certificate but asks for none: rumqttd as it is built here knows its
    clients by their passwords only, and gives each of them every topic.
    """
    tls = (
        f"""
[v4.1.tls]
certpath = {json.dumps(str(pair.absolute()))}
keypath = {json.dumps(str(pair.absolute()))}
"""
        if pair
        else ""
    )
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    users = "\n".join(f"{json.dumps(name)} = {json.dumps(password)}" for name, password in sorted(passwords.items()))
    return f"""id = 0

[router]
id = 0
max_connections = 10000
max_outgoing_packet_count = 200
max_segment_size = 16777216
max_segment_count = 8

[v4.1]
name = "mqtt"
listen = "{address}"
next_connection_delay_ms = 1
{tls}
[v4.1.connections]
connection_timeout_ms = 10000
max_payload_size = {max_payload_bytes}
max_inflight_count = 500
dynamic_filters = true

[v4.1.connections.auth]
{users}
"""


def port_is_free(host: str, port: int) -> bool:
    """Whether a server could listen here now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with contextlib.closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def wait_for_port(host: str, port: int) -> None:
    """Return once the broker may listen here; one that is just going away may hold the port for a moment.

    Raises PortInUse.
    """
    deadline = time.monotonic() + PORT_PATIENCE_S
    while not port_is_free(host, port):
        if time.monotonic() > deadline:
            raise PortInUse(
                f"port {port} on {host} is in use by another program; choose another with --mqtt-port or mqtt.port"
            )
        time.sleep(0.05)


class EmbeddedBroker:
    """One broker process and the thread that watches it. `start()`, `use(passwords)`, `stop()`."""

    def __init__(self, folder: Path, *, host: str, port: int, max_payload_bytes: int, pair: Path | None = None) -> None:
        """The configuration, with its passwords, is written into `folder`, mode 0600. `pair` makes it speak TLS."""
        self._path = folder / "broker.toml"
        self._host = host
        self._port = port
        self._max_payload_bytes = max_payload_bytes
        self._pair = pair
        self._certificate = b""
        self._passwords: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.RLock()
        self._pause_s = WATCH_EVERY_S
        self._watcher = Rounds("broker-watch", self._look, first_s=WATCH_EVERY_S)
        self.restarts = 0

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        process = self._process
        return process is not None and process.poll() is None

    @property
    def pid(self) -> int | None:
        """The process's number, for those who want to kill it."""
        process = self._process
        return process.pid if process is not None else None

    def start(self, passwords: Mapping[str, str]) -> None:
        """Start with these users and keep it alive. Raises PortInUse, BrokerTrouble."""
        with self._lock:
            self._passwords = dict(passwords)
            self._launch()
        self._watcher.start()

    def use(self, passwords: Mapping[str, str]) -> bool:
        """Let exactly these users in; restarts the process if they or its certificate changed: whether they did."""
        with self._lock:
            if dict(passwords) == self._passwords and self._read_certificate() == self._certificate:
                return False
            self._passwords = dict(passwords)
            self._end()
            self._launch()
        log.info("broker_reloaded", users=len(passwords))
        return True

    def stop(self) -> None:
        """End the process and its watcher; safe to call twice."""
        self._watcher.stop()
        with self._lock:
            self._end()

    def _look(self) -> float:
        """Start it again if it died; seconds until it is to be looked at again, more after each vain attempt."""
        with self._lock:
            if self.running:
                self._pause_s = WATCH_EVERY_S
                return self._pause_s
            log.warning("broker_died", port=self._port)
            self._end()
            try:
                self._launch()
            except (BrokerTrouble, PortInUse) as error:
                log.error("broker_not_restarted", reason=str(error))  # noqa: TRY400 - one line says it
                self._pause_s = min(self._pause_s * 2, MAX_PAUSE_S)
            else:
                self.restarts += 1
                log.info("broker_restarted", port=self._port)
        return self._pause_s

    def _read_certificate(self) -> bytes:
        return self._pair.read_bytes() if self._pair else b""

    def _launch(self) -> None:
        wait_for_port(self._host, self._port)
        self._certificate = self._read_certificate()
        self._write()
        command = [sys.executable, "-P", "-m", "iotcore._serve", json.dumps({"config_path": str(self._path)})]
        # The process ends by itself when this pipe closes, so a killed centre leaves no broker behind.
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)  # noqa: S603 - own command
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            code = self._process.poll()
            if code is not None or time.monotonic() > deadline:
                self._end()
                raise BrokerTrouble(f"the MQTT broker did not start on {self._host}:{self._port} (exit code {code})")
            time.sleep(0.02)

    def _answers(self) -> bool:
        anywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound
        target = anywhere.get(self._host, self._host)
        with contextlib.suppress(OSError), socket.create_connection((target, self._port), timeout=0.5):
            return True
        return False

    def _write(self) -> None:
        text = configuration(self._host, self._port, self._passwords, self._max_payload_bytes, self._pair)
        fresh = self._path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        fresh.replace(self._path)

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()
