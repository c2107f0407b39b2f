"""Real brokers for tests: the embedded one (iotcore, rumqttd inside) and Debian's Mosquitto, each on a free port.

Both ask for a password of each user and refuse anonymous clients, as the centre's own broker does. `kill` is
kill -9; `start` after it brings the same broker back on the same port.
"""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Self

MAX_PAYLOAD_BYTES = 1_048_576


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody has now, below those Linux gives to clients.

    A server that dies and comes back finds it free still: no client's connection was given it meanwhile.
    """
    while True:
        port = random.randrange(20_000, 32_000)
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


def iotcore_toml(port: int, passwords: Mapping[str, str]) -> str:
    """Configuration of iotcore (rumqttd): bound to 127.0.0.1, a password of each user, anonymous refused.

    `[….auth]` switches anonymous clients off as soon as it is there; passwords stand in it as clear text, so the file
    is to be 0600. The broker reads it once, at its start. User names and passwords are quoted as JSON strings, which
    are TOML basic strings too.
    """
    users = "\n".join(f"{json.dumps(name)} = {json.dumps(password)}" for name, password in passwords.items())
    return f"""
id = 0

[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 200
max_segment_size = 16777216
max_segment_count = 4

[v4.1]
name = "v4-1"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1

[v4.1.connections]
connection_timeout_ms = 10000
max_payload_size = {MAX_PAYLOAD_BYTES}
max_inflight_count = 100
dynamic_filters = true

[v4.1.connections.auth]
{users}
"""


class Broker:
    """A broker as a child process; a context manager that starts and stops it."""

    def __init__(self, folder: Path, passwords: Mapping[str, str]) -> None:
        self.folder = folder
        self.port = free_port()
        self.passwords = dict(passwords)
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        """Write the configuration and return the command that runs the broker."""
        raise AssertionError

    def start(self) -> None:
        """Start and return when it accepts connections."""
        self._process = subprocess.Popen(self.command(), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while True:
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self._process.poll() is None, "the broker exited"
            assert time.monotonic() < deadline, "the broker does not listen"
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it; safe to call twice."""
        if self._process is None:
            return
        self._process.send_signal(how)
        self._process.wait(10)
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process = None

    def kill(self) -> None:
        """End it with kill -9."""
        self.stop(signal.SIGKILL)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class IotcoreBroker(Broker):
    """The broker the centre embeds."""

    def command(self) -> list[str]:
        config = self.folder / "iotcore.toml"
        config.write_text(iotcore_toml(self.port, self.passwords))
        config.chmod(0o600)
        options = json.dumps({"config_path": str(config)})
        return [sys.executable, "-m", "iotcore._serve", options]


class MosquittoBroker(Broker):
    """Debian's Mosquitto, with persistence, so that sessions outlive a clean restart."""

    def command(self) -> list[str]:
        mosquitto = shutil.which("mosquitto", path="/usr/sbin:/usr/bin") or "mosquitto"
        passwords = self.folder / "passwords"
        passwords.write_text("".join(f"{name}:{password}\n" for name, password in self.passwords.items()))
        passwords.chmod(0o600)
        subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True)
        config = self.folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\n"
            f"persistence true\npersistence_location {self.folder}/\nmax_packet_size {MAX_PAYLOAD_BYTES}\n"
            f"log_dest none\nuser {'root' if os.geteuid() == 0 else os.environ.get('USER', 'nobody')}\n"
        )
        return [mosquitto, "-c", str(config)]
