"""The embedded broker: passwords, on this machine only, alive again after kill -9, gone with the centre."""

import os
import select
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
import structlog
from paho.mqtt.enums import CallbackAPIVersion

from alerts.tls import client_context
from center.boxes.certificates import keep_server_pair
from center.broker import EmbeddedBroker, configuration, port_is_free
from center.errors import PortInUse
from center.keyring import load_keyring
from tests.alerts.brokers import free_port
from tests.center.stage import make_settings

USERS = {"box-1": 'with "quotes" and \\', "centre": "second"}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    made = EmbeddedBroker(tmp_path, host="127.0.0.1", port=free_port(), max_payload_bytes=65536)
    made.start(USERS)
    yield made
    made.stop()


def admitted(
    broker: EmbeddedBroker, username: str | None, password: str | None, tls: ssl.SSLContext | None = None
) -> bool:
    """Whether the broker accepts this client."""
    answered = threading.Event()
    codes: list[bool] = []
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311, reconnect_on_failure=False)
    if username is not None:
        client.username_pw_set(username, password)

    if tls is not None:
        client.tls_set_context(tls)

    def on_connect(*values: object) -> None:
        codes.append(not getattr(values[3], "is_failure", True))
        answered.set()

    client.on_connect = on_connect
    client.on_disconnect = lambda *_: answered.set()
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    assert answered.wait(10)
    client.disconnect()
    client.loop_stop()
    return bool(codes) and codes[0]


def test_each_user_has_a_password_and_anonymous_is_refused(broker: EmbeddedBroker) -> None:
    assert all(admitted(broker, name, password) for name, password in USERS.items())
    assert not admitted(broker, "box-1", "second")
    assert not admitted(broker, "box-2", "second")
    assert not admitted(broker, None, None)


def test_it_speaks_tls_with_a_certificate_of_the_centre_and_shows_a_renewed_one(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    settings = make_settings(tmp_path / "centre")
    authority = load_keyring(settings).authority
    pair, _ = keep_server_pair(settings, authority, now)
    broker = EmbeddedBroker(tmp_path, host="127.0.0.1", port=free_port(), max_payload_bytes=65536, pair=pair)
    broker.start(USERS)
    try:
        tls = client_context(authority.pem, lambda: now)
        assert admitted(broker, "centre", USERS["centre"], tls)
        assert not admitted(broker, "centre", "wrong", tls)
        assert not admitted(broker, "centre", USERS["centre"]), "nobody gets in without TLS"
        assert not broker.use(USERS)
        keep_server_pair(settings, authority, now + timedelta(days=80))
        assert broker.use(USERS), "a renewed certificate is taken up"
        assert admitted(
            broker, "centre", USERS["centre"], client_context(authority.pem, lambda: now + timedelta(days=99))
        )
    finally:
        broker.stop()


def test_a_new_user_is_let_in_and_a_removed_one_is_not(broker: EmbeddedBroker) -> None:
    assert broker.use({"box-2": "third"})
    assert admitted(broker, "box-2", "third")
    assert not admitted(broker, "box-1", USERS["box-1"])
    assert not broker.use({"box-2": "third"}), "nothing changed, nothing restarted"


@contextmanager
def told(name: str) -> Iterator[threading.Event]:
    """Set once the log tells this."""
    seen = threading.Event()

    def listen(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        if event["event"] == name:
            seen.set()
        raise structlog.DropEvent

    before = structlog.get_config()["processors"]
    structlog.configure(processors=[listen])
    try:
        yield seen
    finally:
        structlog.configure(processors=before)


def test_after_kill_9_it_comes_back_by_itself_with_the_same_users(broker: EmbeddedBroker) -> None:
    assert broker.pid is not None
    with told("broker_restarted") as restarted:
        os.kill(broker.pid, signal.SIGKILL)
        assert restarted.wait(20)
    assert admitted(broker, "box-1", USERS["box-1"])
    assert broker.restarts == 1


def test_passwords_lie_in_a_file_that_only_its_owner_reads(broker: EmbeddedBroker, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "broker.toml").stat().st_mode) == 0o600


def test_a_taken_port_is_said_in_one_line(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        broker = EmbeddedBroker(tmp_path, host="127.0.0.1", port=port, max_payload_bytes=65536)
        with pytest.raises(PortInUse, match=f"port {port} on 127.0.0.1 is in use.*--mqtt-port"):
            broker.start(USERS)
        broker.stop()


def test_it_listens_where_it_is_told_only() -> None:
    assert 'listen = "127.0.0.1:1883"' in configuration("127.0.0.1", 1883, USERS, 65536)
    assert "0.0.0.0" not in configuration("127.0.0.1", 1883, USERS, 65536)


@pytest.mark.skipif(not port_is_free("::1", 0), reason="this machine has no IPv6")
def test_it_listens_on_an_address_of_ipv6_too(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path, host="::1", port=free_port(), max_payload_bytes=65536)
    try:
        broker.start(USERS)
        assert broker.running
    finally:
        broker.stop()


PARENT = """
import sys, time
from pathlib import Path
from alerts.tls import client_context
from center.broker import EmbeddedBroker
broker = EmbeddedBroker(Path(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]), max_payload_bytes=65536)
broker.start({"centre": "password"})
print(broker.pid, flush=True)
time.sleep(600)
"""


def test_a_killed_centre_leaves_no_broker_behind(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-c", PARENT, str(tmp_path), str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        watched = os.pidfd_open(pid)
        parent.kill()

    assert ended(watched)
    assert port_is_free("127.0.0.1", port)


def ended(pidfd: int) -> bool:
    """Whether the process of this descriptor ends within a while."""
    try:
        return bool(select.select([pidfd], [], [], 20)[0])
    finally:
        os.close(pidfd)
