"""Mosquitto's files: configuration, per-device topic rights, users or certificates; kept true to who may connect.

Rights are literal, one block for each box: `%u` patterns are not used, for they were seen not to hold in every plugin
of every version. A box writes its own journal and status and reads what is sent to it; the centre the reverse. When
something changed, Mosquitto is told by SIGHUP: a box that was shut out has no right left from then on, and its
certificate stands on the list of revocations.
"""

import base64
import contextlib
import getpass
import hashlib
import os
import secrets
import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from cryptography import x509
from sqlalchemy.orm import Session

from alerts.identity import replace_private_file
from alerts.inbox import BATCH
from alerts.topics import DOWNLINKS, UPLINKS, Topic, filter_of
from center.boxes.certificates import taken_back
from center.boxes.devices import mqtt_passwords
from center.keyring import Keyring
from center.settings import Settings

ENVELOPE_ROOM = 2
"""The broker carries messages larger than the centre takes, so that the centre can say what was wrong with them."""
REVOCATIONS_LIFE = timedelta(days=365)
ITERATIONS = 101
"""Of PBKDF2 for passwords of 256 random bits, as `mosquitto_passwd` does it: there is nothing to guess."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Place:
    """Where Mosquitto lives: its folder, and where it listens."""

    folder: Path
    bind: str
    port: int

    @property
    def configuration(self) -> Path:
        """What `mosquitto -c` is started with."""
        return self.folder / "mosquitto.conf"

    @property
    def pid_file(self) -> Path:
        """Mosquitto writes its process number here."""
        return self.folder / "mosquitto.pid"


def rights(tenant: str, boxes: Iterable[str], center: str) -> str:
    """The ACL file: who may write and read which topic. Whoever is not named may do nothing."""
    lines = [f"user {center}"]
    lines += [f"topic read {filter_of(tenant, channel)}" for channel in UPLINKS]
    lines += [f"topic write {filter_of(tenant, channel)}" for channel in DOWNLINKS]
    for box in sorted(boxes):
        lines += ["", f"user {box}"]
        lines += [f"topic write {Topic(tenant, box, channel).text}" for channel in UPLINKS]
        lines += [f"topic read {Topic(tenant, box, channel).text}" for channel in DOWNLINKS]
    return "\n".join(lines) + "\n"


def configuration(place: Place, *, tls: bool, max_message_bytes: int) -> str:
    """Mosquitto's configuration: one listener, nobody anonymous, what is queued survives a restart."""
    secured = (
        (
            f"cafile {place.folder}/ca.crt",
            f"certfile {place.folder}/server.pem",
            f"keyfile {place.folder}/server.pem",
            f"crlfile {place.folder}/revoked.crl",
            "tls_version tlsv1.2",
            "require_certificate true",
            "use_identity_as_username true",
        )
        if tls
        else (f"password_file {place.folder}/passwords",)
    )
    lines = (
        "# Made by `teawatch center mosquitto`; the centre writes it anew when something changes.",
        f"user {getpass.getuser()}",
        f"pid_file {place.pid_file}",
        "persistence true",
        f"persistence_location {place.folder}/",
        "autosave_interval 60",
        "persistent_client_expiration 7d",  # a worker of intake that never comes back; its boxes bring all of it again
        f"max_inflight_messages {2 * BATCH}",  # a batch that is being taken in, and the next
        "max_queued_messages 10000",
        f"max_packet_size {ENVELOPE_ROOM * max_message_bytes}",
        "allow_anonymous false",
        f"acl_file {place.folder}/acl",
        f"listener {place.port} {place.bind}",
        *secured,
    )
    return "\n".join(lines) + "\n"


class MosquittoFiles:
    """One folder of files for one Mosquitto."""

    def __init__(self, settings: Settings, keyring: Keyring, place: Place) -> None:
        self._settings = settings
        self._keyring = keyring
        self.place = place

    def refresh(self, session: Session, server: Path, at: datetime) -> bool:
        """Write what is not true any more and tell Mosquitto; whether anything was written."""
        self.place.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        mqtt = self._settings.mqtt
        passwords = mqtt_passwords(session, self._settings.tenant, self._keyring.broker_seed)
        written = self._put("acl", rights(self._settings.tenant, passwords, mqtt.username))
        if mqtt.tls:
            written |= self._put("ca.crt", self._keyring.authority.pem)
            written |= self._put("server.pem", server.read_text())
            written |= self._put_revocations(session, at)
        else:
            written |= self._put_passwords(passwords | {mqtt.username: self._keyring.center_password})
        text = configuration(self.place, tls=mqtt.tls, max_message_bytes=mqtt.max_message_kib * 1024)
        written |= self._put(self.place.configuration.name, text)
        if written:
            self._tell()
        return written

    def _put(self, name: str, text: str) -> bool:
        path = self.place.folder / name
        with contextlib.suppress(FileNotFoundError):
            if path.read_text() == text:
                return False
        replace_private_file(path, text.encode())
        return True

    def _put_passwords(self, passwords: Mapping[str, str]) -> bool:
        """Hashes have a salt, so what is there is compared by what it accepts."""
        path = self.place.folder / "passwords"
        known = dict(line.split(":", 1) for line in path.read_text().splitlines()) if path.exists() else {}
        lines = {
            name: known[name] if _accepts(known.get(name, ""), password) else _hashed(password, secrets.token_bytes(12))
            for name, password in passwords.items()
        }
        return self._put(path.name, "".join(f"{name}:{line}\n" for name, line in sorted(lines.items())))

    def _put_revocations(self, session: Session, at: datetime) -> bool:
        path = self.place.folder / "revoked.crl"
        wanted = taken_back(session, self._settings.tenant, at)
        with contextlib.suppress(FileNotFoundError, ValueError):
            there = x509.load_pem_x509_crl(path.read_bytes())
            ends = there.next_update_utc
            is_good = ends is not None and there.last_update_utc <= at and ends - at > REVOCATIONS_LIFE / 2
            if is_good and {each.serial_number for each in there} == {serial for serial, _ in wanted}:
                return False
        return self._put(path.name, self._keyring.authority.revocations(wanted, at, REVOCATIONS_LIFE))

    def _tell(self) -> None:
        """SIGHUP to the Mosquitto that runs on these files, if one does."""
        try:
            pid = int(self.place.pid_file.read_text())
            if b"mosquitto" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGHUP)
        except (OSError, ValueError):
            log.info("mosquitto_not_running", folder=str(self.place.folder))
        else:
            log.info("mosquitto_told", pid=pid)


def _hashed(password: str, salt: bytes) -> str:
    """A line of Mosquitto's password file: PBKDF2 with SHA-512."""
    made = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return f"$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(made).decode()}"


def _accepts(line: str, password: str) -> bool:
    match line.split("$"):
        case ["", "7", _, salt, _]:
            return line == _hashed(password, base64.b64decode(salt))
        case _:
            return False
