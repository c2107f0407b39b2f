"""What runs behind the pages: the broker, the subscriber that brings boxes' messages, and who may connect.

`start()` and `stop()` belong to the application's lifespan. Boxes enrolled or revoked by another process (the command
line) are noticed within seconds.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.exc import OperationalError

from alerts.subscriber import Subscriber
from alerts.topics import Topic
from center.background import Rounds
from center.boxes.certificates import keep_server_pair, server_pair
from center.boxes.devices import mqtt_passwords
from center.boxes.enrolment import BrokerAddress
from center.boxes.keys import rotation_commands, rotations_asked
from center.boxes.presence import forget_presence
from center.broker import EmbeddedBroker
from center.database import Database
from center.errors import CenterError
from center.keyring import Keyring
from center.mosquitto import ENVELOPE_ROOM, MosquittoFiles, Place
from center.settings import Settings

LOOK_EVERY_S = 2.0
ASK_EVERY_S = 15.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Health:
    """Whether each part works."""

    broker: bool
    subscriber: bool


class Works:
    """The machinery of one running centre."""

    def __init__(
        self, settings: Settings, database: Database, keyring: Keyring, *, now: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self._database = database
        self._keyring = keyring
        self._one_writer = threading.Lock()
        self._restarts = 0
        self._now = now
        self._ask_again_s = 0.0
        mqtt = settings.mqtt
        self._broker = (
            EmbeddedBroker(
                settings.secrets_folder,
                host=mqtt.host,
                port=mqtt.port,
                max_payload_bytes=ENVELOPE_ROOM * mqtt.max_message_kib * 1024,
                pair=server_pair(settings) if mqtt.tls else None,
            )
            if mqtt.embedded
            else None
        )
        self._mosquitto = (
            MosquittoFiles(settings, keyring, Place(mqtt.mosquitto.absolute(), mqtt.mosquitto_bind, mqtt.port))
            if mqtt.mosquitto is not None
            else None
        )
        self._subscriber: Subscriber | None = None
        self._watcher = Rounds("devices-watch", self._look, first_s=LOOK_EVERY_S)

    def start(self, subscriber: Subscriber) -> None:
        """Start the broker, then listen. Raises PortInUse, BrokerTrouble."""
        with self._database.writing() as session:
            forget_presence(session, self._settings.tenant)
        self._keep_files()
        if self._broker is not None:
            self._broker.start(self._passwords())
        self._subscriber = subscriber
        subscriber.start()
        self._watcher.start()

    def stop(self) -> None:
        """Stop listening, then the broker."""
        self._watcher.stop()
        if self._subscriber is not None:
            self._subscriber.stop()
        if self._broker is not None:
            self._broker.stop()

    def send(self, topic: Topic, raw: bytes) -> bool:
        """Publish to a box; False while there is no connection."""
        return self._subscriber is not None and self._subscriber.publish(topic, raw)

    def let_in(self) -> None:
        """Make the broker know every box that may connect now, and nobody else."""
        self._keep_files()
        if self._broker is not None and self._subscriber is not None and self._broker.use(self._passwords()):
            self._forget_presence()

    def _keep_files(self) -> None:
        """Renew the servers' certificate in time, and Mosquitto's files."""
        at = self._now()
        with self._one_writer:
            if self._settings.mqtt.tls:
                keep_server_pair(self._settings, self._keyring.authority, at)
            if self._mosquitto is not None:
                with self._database.reading() as session:
                    self._mosquitto.refresh(session, server_pair(self._settings), at)

    @property
    def boxes_connect_to(self) -> BrokerAddress:
        """Where boxes reach the broker."""
        mqtt = self._settings.mqtt
        host = mqtt.public_host or ("" if mqtt.embedded else mqtt.host)
        return BrokerAddress(host, mqtt.public_port or mqtt.port, mqtt.tls)

    @property
    def health(self) -> Health:
        """What works now."""
        up = self._subscriber is not None and self._subscriber.is_up
        return Health(broker=self._broker.running if self._broker is not None else up, subscriber=up)

    def _passwords(self) -> dict[str, str]:
        with self._database.reading() as session:
            boxes = mqtt_passwords(session, self._settings.tenant, self._keyring.broker_seed)
        return boxes | {self._settings.mqtt.username: self._keyring.center_password}

    def _look(self) -> float:
        try:
            self.let_in()
            self._note_restart()
            self._ask_for_keys()
        except (CenterError, OperationalError) as error:
            log.error("broker_not_up_to_date", reason=str(error))  # noqa: TRY400 - one line says it
        except Exception:
            log.exception("broker_not_up_to_date")
        return LOOK_EVERY_S

    def _note_restart(self) -> None:
        if self._broker is not None and self._broker.restarts != self._restarts:
            self._restarts = self._broker.restarts
            self._forget_presence()

    def _ask_for_keys(self) -> None:
        """A box that is to have a new key is asked while it is on line, and again until its rotation has come."""
        if self._subscriber is None or not self._subscriber.is_up or time.monotonic() < self._ask_again_s:
            return
        with self._database.reading() as session:
            if not rotations_asked(session, self._settings.tenant):
                return
        self._ask_again_s = time.monotonic() + ASK_EVERY_S
        with self._database.writing() as session:
            commands = rotation_commands(session, self._settings.tenant, self._keyring.signing_key, self._now())
        for topic, raw in commands:
            self.send(topic, raw)

    def _forget_presence(self) -> None:
        with self._database.writing() as session:
            forget_presence(session, self._settings.tenant)
