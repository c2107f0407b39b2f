"""The centre's settings: one frozen value, from `center.yaml` in its data folder, the environment on top.

Every key is documented in `center/sample.yaml`. Environment: `TEAWATCH_CENTER_WEB__PORT=8080`,
`TEAWATCH_CENTER_MQTT__PORT=1884` (two underscores reach into a group). Secrets never stand here: they are files of
mode 0600 below the data folder, made by `teawatch center init`.
"""

import difflib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, YamlConfigSettingsSource

from alerts.errors import YamlMistake
from alerts.messages import Id
from alerts.strict_yaml import read_yaml
from alerts.wire import MAX_BYTES
from center.errors import SettingsInvalid

Port = Annotated[int, Field(ge=1, le=65535)]
DEFAULT_DATA = Path("var/center")
MIB = 2**20
FILE_NAME = "center.yaml"


class WebSettings(BaseModel):
    """Where pages and JSON are served."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: Port = 8000
    public_url: str = ""
    tls: bool = False
    session_hours: Annotated[int, Field(ge=1, le=24 * 30)] = 12
    max_body_kib: Annotated[int, Field(ge=16, le=16384)] = 1024


class MqttSettings(BaseModel):
    """The broker: our own process, or somebody's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    embedded: bool = True
    host: str = "127.0.0.1"
    port: Port = 1883
    public_host: str = ""
    public_port: Port | None = None
    tls: bool = False
    mosquitto: Path | None = None
    mosquitto_bind: str = "127.0.0.1"
    username: Id = "teawatch-center"
    password_file: Path | None = None
    max_message_kib: Annotated[int, Field(ge=MAX_BYTES // 1024, le=4096)] = MAX_BYTES // 1024


class TlsSettings(BaseModel):
    """Certificates of the centre's own authority."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: tuple[str, ...] = ()
    box_days: Annotated[int, Field(ge=1, le=366)] = 30
    server_days: Annotated[int, Field(ge=1, le=366)] = 90


class EvidenceSettings(BaseModel):
    """What the centre accepts of files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_file_mib: Annotated[int, Field(ge=1, le=2048)] = 256
    store: Annotated[str, Field(pattern=r"^(s3://[a-z0-9][a-z0-9.-]{1,62}(/[A-Za-z0-9._/-]{1,200})?)?$")] = ""
    endpoint: Annotated[str, Field(pattern=r"^(https?://\S+)?$", max_length=500)] = ""
    region: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")] = "us-east-1"
    credentials_file: Path | None = None
    uploads_at_once: Annotated[int, Field(ge=1, le=256)] = 16
    uploads_per_box: Annotated[int, Field(ge=1, le=16)] = 2
    max_unfinished_mib: Annotated[int, Field(ge=1, le=1_048_576)] = 1024
    keep_free_mib: Annotated[int, Field(ge=0, le=1_048_576)] = 256


class IntakeSettings(BaseModel):
    """Who takes messages in, and how much of what cannot be accepted is kept to be looked at."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    workers: Annotated[int, Field(ge=0, le=999)] = 0
    quarantine_raw_kib: Annotated[int, Field(ge=1, le=256)] = 64
    quarantine_rows: Annotated[int, Field(ge=100, le=1_000_000)] = 10_000
    receipt_hours: Annotated[int, Field(ge=1, le=24 * 30)] = 24


class LogSettings(BaseModel):
    """The append-only log: its name, and how its head is published."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: Annotated[str, Field(pattern=r"^[^\s+]*$", max_length=200)] = ""
    publish_every_s: Annotated[int, Field(ge=1, le=86_400)] = 60
    timestamp_url: Annotated[str, Field(pattern=r"^(https?://\S+)?$", max_length=2000)] = ""
    timestamp_roots: Path | None = None


Days = Annotated[int, Field(ge=30, le=36_500)]
"""Never below the 30 days of the Public-safety video systems regulation (State Council order 799), art. 17."""


class RetentionSettings(BaseModel):
    """How long files stay after their lead was closed, by what they are. Where the defaults come from: `retention`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    picture_days: Days = 730
    annotated_days: Days = 365
    clip_days: Days = 365
    redacted_days: Days = 365
    recording_days: Days = 730
    false_alarm_days: Days = 30


class RedactionSettings(BaseModel):
    """The command that makes redacted copies, and its bounds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    command: tuple[str, ...] = ()
    time_limit_s: Annotated[int, Field(ge=5, le=600)] = 120
    memory_mib: Annotated[int, Field(ge=512, le=65_536)] = 2048


class SettingsFile(YamlConfigSettingsSource):
    """`center.yaml`: every key but `data`, for it lies in the data folder and cannot name another."""

    def _read_file(self, file_path: Any) -> Any:  # noqa: ANN401 - as the library has it
        return read_yaml(file_path.read_bytes()) or {}

    def __call__(self) -> dict[str, Any]:
        """What the file says. Raises SettingsInvalid if it says `data`."""
        values = super().__call__()
        if "data" in values:
            raise SettingsInvalid(f"{self.yaml_file_path}: 'data' cannot be set here; --data names the data folder")
        return values


class Settings(BaseSettings):
    """Everything the centre can be told."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="TEAWATCH_CENTER_",
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
    )

    data: Path = DEFAULT_DATA
    tenant: Id = "county"
    name: str = "TeaWatch"
    language: Literal["zh-CN", "en"] = "zh-CN"
    time_zone: str = "Asia/Shanghai"
    database_url: str = ""
    web: WebSettings = WebSettings()
    mqtt: MqttSettings = MqttSettings()
    tls: TlsSettings = TlsSettings()
    evidence: EvidenceSettings = EvidenceSettings()
    intake: IntakeSettings = IntakeSettings()
    log: LogSettings = LogSettings()
    retention: RetentionSettings = RetentionSettings()
    redaction: RedactionSettings = RedactionSettings()
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - not read: one file is enough
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - secrets have files of their own
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The command line wins over the environment, the environment over the file in the data folder."""
        given = init_settings() if callable(init_settings) else {}
        path = Path(given.get("data", DEFAULT_DATA)) / FILE_NAME
        return init_settings, env_settings, SettingsFile(settings_cls, yaml_file=path)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"there is no time zone {name!r}; Asia/Shanghai is one")
        return name

    @property
    def sqlalchemy_url(self) -> str:
        """Where the database is; SQLite in the data folder unless told otherwise."""
        return self.database_url or f"sqlite:///{self.data.absolute() / 'center.sqlite3'}"

    @property
    def url(self) -> str:
        """The address people and boxes use, without a slash at its end."""
        scheme = "https" if self.web.tls else "http"
        return (self.web.public_url or f"{scheme}://{self.web.host}:{self.web.port}").rstrip("/")

    @property
    def public_host(self) -> str:
        """The host in the address that people and boxes use; empty where none is set."""
        return urlsplit(self.web.public_url).hostname or ""

    @property
    def log_origin(self) -> str:
        """The name of the append-only log, which heads carry and readers pin."""
        return self.log.origin or f"teawatch/{self.tenant}"

    @property
    def secrets_folder(self) -> Path:
        """Keys and passwords, mode 0700."""
        return self.data / "secrets"

    @property
    def evidence_folder(self) -> Path:
        """Files of evidence, named by their hash."""
        return self.data / "evidence"

    @property
    def staging_folder(self) -> Path:
        """What is on its way into a bucket."""
        return self.data / "staging"

    @property
    def thumbnails_folder(self) -> Path:
        """Small copies of pictures; they can be made anew at any time."""
        return self.data / "thumbnails"


def load_settings(data: Path | None = None, **overrides: object) -> Settings:
    """Settings of the centre whose data folder is `data`; `overrides` (from the command line) win over everything.

    A nested override is written `web={"port": 8001}`; None means not given. Raises SettingsInvalid with one line that
    names the file and the key.
    """
    folder = data or Path(os.environ.get("TEAWATCH_CENTER_DATA", DEFAULT_DATA))
    path = folder / FILE_NAME
    try:
        return Settings(data=folder, **_given(overrides))
    except ValidationError as error:
        raise SettingsInvalid(_one_line(error, path)) from error
    except (OSError, YamlMistake, ValueError, TypeError) as error:
        raise SettingsInvalid(f"{path}: cannot be read: {str(error).splitlines()[0]}") from error


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """`values` without what is None, at any depth."""
    return {
        key: _given(value) if isinstance(value, dict) else value for key, value in values.items() if value is not None
    }


def known_keys() -> tuple[str, ...]:
    """Every key that may stand in the file, groups written `web.port`."""
    keys = []
    for name, field in Settings.model_fields.items():
        if name == "data":
            continue
        group = field.annotation
        if isinstance(group, type) and issubclass(group, BaseModel):
            keys += [f"{name}.{inner}" for inner in group.model_fields]
        else:
            keys.append(name)
    return tuple(keys)


def _one_line(error: ValidationError, path: Path) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        hint = closest(key, known_keys()) or "; known keys stand in center/sample.yaml"
        return f"{path}: unknown key {key!r}{hint}"
    return f"{path}: {key}: {first['msg']}"


def closest(text: str, known: Sequence[str]) -> str:
    """`; did you mean 'web.port'?` for a mistyped word, empty where nothing is near."""
    near = difflib.get_close_matches(text, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
