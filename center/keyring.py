"""The centre's secrets: its signing key, its authority, the seed of the broker's passwords, files of mode 0600."""

import os
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from alerts.keys import SigningKey
from center.authority import Authority
from center.boxes.devices import mqtt_password
from center.errors import CenterError
from center.settings import Settings

KEY_FILE = "center.key"
SEED_FILE = "broker.seed"


class SecretMissing(CenterError):
    """A file of secrets is not there, or cannot be read."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """What only the centre knows. `broker_seed` makes the password of every box; `center_password` is our own."""

    signing_key: SigningKey
    authority: Authority
    broker_seed: bytes = field(repr=False)
    center_password: str = field(repr=False)


def make_secrets(settings: Settings) -> None:
    """Make what is missing; what is there stays as it is."""
    folder = settings.secrets_folder
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.mkdir(exist_ok=True, mode=0o700)
    if not (folder / KEY_FILE).exists():
        SigningKey.generate().save(folder / KEY_FILE)
    if not (folder / SEED_FILE).exists():
        _write_private(folder / SEED_FILE, secrets.token_hex(32))
    Authority.make(folder, settings.tenant, datetime.now(UTC))


def load_keyring(settings: Settings) -> Keyring:
    """Read the secrets. Raises KeyFileError, SecretMissing, AuthorityTrouble."""
    folder = settings.secrets_folder
    seed = bytes.fromhex(_read(folder / SEED_FILE))
    own = settings.mqtt.password_file
    password = _read(own) if own is not None else mqtt_password(seed, settings.mqtt.username, "center")
    return Keyring(SigningKey.load(folder / KEY_FILE), Authority.load(folder), seed, password)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SecretMissing(f"{path}: {error.strerror}; `teawatch center init` makes what is missing") from error


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
