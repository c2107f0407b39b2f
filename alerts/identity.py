"""Who a box is: its name, its key, the centre's pinned key, and where the centre is."""

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import Field, ValidationError

from alerts.errors import KeyFileError, NotEnrolled
from alerts.folders import sync_folder
from alerts.keys import SigningKey, VerifyKey
from alerts.messages import Id, Message

IDENTITY_FILE = "identity.json"
KEY_FILE = "box.key"
CERTIFICATE_FILE = "tls.pem"


class _Stored(Message):
    tenant: Id
    device: Id
    centre_key: str
    center_url: str
    mqtt_host: str
    mqtt_port: int = Field(ge=1, le=65535)
    mqtt_username: str
    mqtt_password: str
    mqtt_tls: bool = False
    web_tls: bool = False
    ca: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Made by enrolment, kept in the state folder, readable by its owner only.

    `ca` is the centre's authority in PEM; `certificate` the file of this box's TLS key and certificate, which is
    renewed now and then; `mqtt_tls` and `web_tls` say where they are used.
    """

    tenant: str
    device: str
    signing_key: SigningKey
    centre_key: VerifyKey
    center_url: str
    mqtt_host: str
    mqtt_port: int
    mqtt_username: str
    mqtt_password: str = field(repr=False)
    mqtt_tls: bool = False
    web_tls: bool = False
    ca: str = field(default="", repr=False)
    certificate: Path | None = None

    @property
    def source(self) -> str:
        """The `source` of everything this box says."""
        return f"urn:teawatch:{self.tenant}:{self.device}"

    @classmethod
    def load(cls, folder: Path) -> "Identity":
        """Read what `save` wrote; raises NotEnrolled or KeyFileError."""
        path = folder / IDENTITY_FILE
        try:
            stored = _Stored.model_validate_json(path.read_bytes(), strict=True)
        except FileNotFoundError:
            raise NotEnrolled(f"{folder}: this box is not enrolled; run `teawatch edge enrol`") from None
        except OSError as error:
            raise NotEnrolled(f"{path}: {error.strerror}") from None
        except ValidationError:
            raise NotEnrolled(f"{path}: damaged; enrol this box again") from None
        fields = stored.model_dump(exclude={"centre_key"})
        return cls(
            **fields,
            centre_key=VerifyKey.from_text(stored.centre_key),
            signing_key=SigningKey.load(folder / KEY_FILE),
            certificate=folder / CERTIFICATE_FILE,
        )

    def save(self, folder: Path) -> None:
        """Write the identity beside the box's key, which is written too unless it is there already."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        key_file = folder / KEY_FILE
        if not key_file.exists():
            self.signing_key.save(key_file)
        elif SigningKey.load(key_file).key_id != self.signing_key.key_id:
            raise KeyFileError(f"{key_file}: another key is here already and is not overwritten")
        stored = _Stored(
            tenant=self.tenant,
            device=self.device,
            centre_key=self.centre_key.to_text(),
            center_url=self.center_url,
            mqtt_host=self.mqtt_host,
            mqtt_port=self.mqtt_port,
            mqtt_username=self.mqtt_username,
            mqtt_password=self.mqtt_password,
            mqtt_tls=self.mqtt_tls,
            web_tls=self.web_tls,
            ca=self.ca,
        )
        replace_private_file(folder / IDENTITY_FILE, stored.model_dump_json(indent=2).encode())


def replace_private_file(path: Path, content: bytes) -> None:
    """Put `content` in place of `path` at once or not at all, durably, mode 0600."""
    passing = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        passing.replace(path)
    except BaseException:
        passing.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
