"""Debian's Mosquitto on the files the centre writes: each box has its own topics and no other, and loses them."""

import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from cryptography import x509
from paho.mqtt.enums import CallbackAPIVersion

from alerts.door import Door
from alerts.errors import TimeUnknown
from alerts.identity import Identity
from alerts.keys import SigningKey, VerifyKey
from alerts.messages import ClockQuality
from alerts.topics import Channel, Topic
from center.boxes.certificates import keep_own_pair, keep_server_pair
from center.boxes.keys import revoke
from center.mosquitto import MosquittoFiles, Place
from center.settings import MqttSettings
from tests.alerts.brokers import free_port
from tests.center.boxes.test_enrolment import new_code, redeem
from tests.center.stage import TENANT, Web, open_web

PATIENCE_S = 15
pytestmark = pytest.mark.system("mosquitto")


@dataclass
class Client:
    """What a client of the broker sees, to be waited for."""

    client: mqtt.Client
    heard: list[tuple[str, bytes]] = field(default_factory=list)
    granted: list[Any] = field(default_factory=list)
    refused: str = ""
    is_up: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)

    def wait(self, condition: Callable[[], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(condition, PATIENCE_S), (self.heard, self.granted, self.refused)

    def note(self, change: Callable[[], object]) -> None:
        with self.changed:
            change()
            self.changed.notify_all()

    def subscribe(self, topic: str) -> Any:
        before = len(self.granted)
        self.client.subscribe(topic, 1)
        self.wait(lambda: len(self.granted) > before)
        return self.granted[-1]

    def publish(self, topic: str, payload: bytes) -> None:
        self.client.publish(topic, payload, 1).wait_for_publish(PATIENCE_S)


class County:
    """A centre with Mosquitto beside it and two boxes."""

    def __init__(self, web: Web, folder: Path, port: int, *, tls: bool) -> None:
        self.web, self.tls = web, tls
        office = web.stage.office
        self.office = office
        self.files = MosquittoFiles(office.settings, office.keyring, Place(folder / "mosquitto", "127.0.0.1", port))
        self.boxes = {name: redeem(web, new_code(web, name=name), folder / name) for name in ("box-1", "box-2")}
        self.refresh()
        self.process: subprocess.Popen[bytes] | None = None

    def refresh(self) -> bool:
        office, at = self.office, self.web.stage.clock()
        with office.database.reading() as session:
            pair, _ = keep_server_pair(office.settings, office.keyring.authority, at)
            return self.files.refresh(session, pair, at)

    def start(self) -> None:
        program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin") or "mosquitto"
        self.process = subprocess.Popen([program, "-c", str(self.files.place.configuration)], stderr=subprocess.DEVNULL)
        listening = threading.Event()
        while self.process.poll() is None and not listening.wait(0.02):
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", self.files.place.port)) == 0:
                    listening.set()
        assert self.process.poll() is None, "Mosquitto takes these files"

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(PATIENCE_S)

    def shut_out_shows(self, centre: Client, box: Client, other: Client) -> None:
        """Mosquitto leaves the connection but takes the rights: after it has read its files nothing passes any more."""
        for number in range(PATIENCE_S * 20):
            after, marker = f"after-{number}".encode(), f"marker-{number}".encode()
            box.publish(topic("box-1", Channel.JOURNAL), after)
            other.publish(topic("box-2", Channel.JOURNAL), marker)
            centre.wait(lambda marker=marker: (topic("box-2", Channel.JOURNAL), marker) in centre.heard)  # type: ignore[misc]
            if (topic("box-1", Channel.JOURNAL), after) not in centre.heard:
                break
        else:
            pytest.fail("its messages still pass")
        heard = len(box.heard)
        centre.publish(topic("box-1", Channel.RECEIPTS), b"not for one")
        box.subscribe(topic("box-1", Channel.RECEIPTS))
        assert len(box.heard) == heard

    @contextmanager
    def connect(self, identity: Identity | None, door: Door | None = None) -> Iterator[Client]:
        """A box, or the centre itself."""
        office = self.office
        name = identity.device if identity else office.settings.mqtt.username
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"test-{name}", protocol=mqtt.MQTTv311)
        seen = Client(client)
        if identity is not None and self.tls:
            client.tls_set_context((door or Door(identity)).to_broker())
        elif identity is not None:
            client.username_pw_set(name, identity.mqtt_password)
        elif self.tls:
            own = keep_own_pair(office.settings, office.keyring.authority, self.web.stage.clock())
            client.tls_set(str(self.files.place.folder / "ca.crt"), str(own), str(own))
        else:
            client.username_pw_set(name, office.keyring.center_password)

        def up(_c: object, _d: object, _f: object, code: Any, _p: object) -> None:
            seen.note(lambda: setattr(seen, "refused" if code.is_failure else "is_up", str(code)))

        def granted(_c: object, _d: object, _m: object, codes: Any, _p: object) -> None:
            seen.note(lambda: seen.granted.append(codes[0]))

        def heard(_c: object, _d: object, message: mqtt.MQTTMessage) -> None:
            seen.note(lambda: seen.heard.append((message.topic, bytes(message.payload))))

        def down(_c: object, _d: object, _f: object, code: Any, _p: object) -> None:
            def change() -> None:
                seen.is_up, seen.refused = False, str(code)

            seen.note(change)

        client.on_connect, client.on_subscribe, client.on_message, client.on_disconnect = up, granted, heard, down
        client.connect("127.0.0.1", self.files.place.port)
        client.loop_start()
        try:
            yield seen
        finally:
            client.disconnect()
            client.loop_stop()


@pytest.fixture(params=[True, False], ids=["certificates", "passwords"])
def county(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[County]:
    port, tls = free_port(), request.param
    mqtt_settings = {"embedded": False, "port": port, "tls": tls, "mosquitto": str(tmp_path / "mosquitto")}
    with open_web(tmp_path / "centre", mqtt=mqtt_settings) as web:
        made = County(web, tmp_path, port, tls=tls)
        made.start()
        try:
            yield made
        finally:
            made.stop()


def topic(device: str, channel: Channel) -> str:
    return Topic(TENANT, device, channel).text


def test_a_box_writes_its_own_journal_and_reads_its_own_receipts_and_nothing_else(county: County) -> None:
    one, two = county.boxes.values()
    with county.connect(None) as centre, county.connect(one) as box, county.connect(two) as other:
        for client in (centre, box, other):
            client.wait(lambda client=client: client.is_up)
        assert not centre.subscribe(f"teawatch/v1/{TENANT}/+/journal").is_failure
        for client, device in ((box, "box-1"), (other, "box-2")):
            assert not client.subscribe(topic(device, Channel.RECEIPTS)).is_failure
        other.subscribe(topic("box-1", Channel.RECEIPTS))
        other.subscribe(f"teawatch/v1/{TENANT}/+/receipts")
        other.subscribe("#")

        other.publish(topic("box-1", Channel.JOURNAL), b"forged")
        other.publish(topic("box-1", Channel.RECEIPTS), b"forged")
        other.publish(topic("box-2", Channel.RECEIPTS), b"forged")
        other.publish(topic("box-2", Channel.JOURNAL), b"of two")
        box.publish(topic("box-1", Channel.JOURNAL), b"of one")
        centre.wait(lambda: len(centre.heard) >= 2)
        centre.publish(topic("box-1", Channel.RECEIPTS), b"for one")
        centre.publish(topic("box-2", Channel.RECEIPTS), b"for two")
        box.wait(lambda: bool(box.heard))
        other.wait(lambda: bool(other.heard))

    assert centre.heard == [(topic("box-2", Channel.JOURNAL), b"of two"), (topic("box-1", Channel.JOURNAL), b"of one")]
    assert box.heard == [(topic("box-1", Channel.RECEIPTS), b"for one")]
    assert other.heard == [(topic("box-2", Channel.RECEIPTS), b"for two")]


def test_a_box_that_is_shut_out_is_cut_off_at_once_and_does_not_come_back(county: County) -> None:
    one, two = county.boxes.values()
    with county.connect(None) as centre, county.connect(one) as box, county.connect(two) as other:
        for client in (centre, box, other):
            client.wait(lambda client=client: client.is_up)
        centre.subscribe(f"teawatch/v1/{TENANT}/+/journal")
        box.subscribe(topic("box-1", Channel.RECEIPTS))
        with county.office.database.writing() as session:
            revoke(session, tenant=TENANT, name="box-1", at=county.web.stage.clock())

        assert county.refresh()
        if county.tls:
            county.shut_out_shows(centre, box, other)
        else:
            box.wait(lambda: not box.is_up)
        other.publish(topic("box-2", Channel.JOURNAL), b"goes on")
        centre.wait(lambda: (topic("box-2", Channel.JOURNAL), b"goes on") in centre.heard)
    with county.connect(one) as again:
        again.wait(lambda: bool(again.refused))


@pytest.mark.parametrize("county", [True], indirect=True, ids=["certificates"])
def test_a_box_that_wakes_up_in_1970_is_told_the_time_and_then_connects(county: County) -> None:
    one = county.boxes["box-1"]
    county.web.stage.clock.at = datetime.now(UTC)

    def door(centre_key: VerifyKey) -> Door:
        return Door(
            replace(one, centre_key=centre_key),
            system=lambda: datetime(1970, 1, 1, tzinfo=UTC),
            quality=lambda _: ClockQuality.UNSYNCHRONISED,
        )

    with county.connect(one, door(one.centre_key)) as box:
        box.wait(lambda: box.is_up)
    with pytest.raises(TimeUnknown, match="says 1970-01-01"):
        door(SigningKey.generate().verify_key).to_broker()


def test_a_list_of_revocations_from_a_time_that_the_clock_went_back_from_is_made_anew(web: Web, tmp_path: Path) -> None:
    office, at = web.stage.office, datetime.now(UTC)
    place = Place(tmp_path / "mosquitto", "127.0.0.1", 8883)
    files = MosquittoFiles(office.settings.model_copy(update={"mqtt": MqttSettings(tls=True)}), office.keyring, place)
    for moment in (at + timedelta(days=3653), at):
        with office.database.reading() as session:
            pair, _ = keep_server_pair(office.settings, office.keyring.authority, moment)
            files.refresh(session, pair, moment)
        begins = x509.load_pem_x509_crl((place.folder / "revoked.crl").read_bytes()).last_update_utc
        assert begins <= moment, "else Mosquitto lets nobody in"
