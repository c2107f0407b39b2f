"""What a technician writes for one box: cameras, zones, rules. Every key is explained in `edge/sample.yaml`.

`read_config` gives a checked value, or a ConfigError whose lines name the place, what exists and what may be meant.
"""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from alerts.catalogue import KINDS
from alerts.errors import YamlMistake
from alerts.messages import Id
from alerts.strict_yaml import read_yaml
from edge.config_errors import describe, unknown
from edge.config_hours import ScheduleSection
from edge.config_sections import Section, refuse
from edge.errors import ConfigError
from edge.rules import RULES, AnyRule
from edge.schedule import ALWAYS
from edge.zones import Zone, polygon_problem
from models.cards import ModelCard, find_card
from models.errors import ModelError
from streams.addresses import is_device, is_live
from streams.frames import MAX_PIXELS, SILENCE_S, Camera, Encoding, Pace, Transport, Wish

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def _always(value: object) -> object:
    if isinstance(value, str):
        if value != "always":
            raise refuse(f"{value!r} is no schedule; write always, or a time_zone and spans")
        return None
    return value


class ZoneSection(Section):
    """A polygon in shares of the picture."""

    id: Id
    polygon: tuple[tuple[float, float], ...]

    @model_validator(mode="after")
    def _is_polygon(self) -> Self:
        if problem := polygon_problem(self.polygon):
            raise refuse(problem)
        return self


class RuleSection(Section):
    """A rule at work in a zone."""

    id: Id
    rule: str
    zone: str
    kind: str = ""
    schedule: Annotated[ScheduleSection | None, BeforeValidator(_always)] = None
    parameters: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits_the_rule(self) -> Self:
        if self.rule not in RULES:
            raise refuse(unknown("rule", self.rule, RULES))
        kinds = [kind for kind in RULES[self.rule].kinds if kind in KINDS]
        if self.kind and self.kind not in kinds:
            raise refuse(unknown(f"kind for rule {self.rule!r}", self.kind, kinds))
        parameters_type = RULES[self.rule].parameters_type
        try:
            parameters_type.model_validate(self.parameters)
        except ValidationError as error:
            raise refuse("; ".join(describe(error, self.parameters, "parameters", parameters_type))) from None
        return self

    def build(self, zone: Zone) -> AnyRule:
        """The rule, ready to step."""
        kind = RULES[self.rule]
        schedule = self.schedule.build() if self.schedule else ALWAYS
        return kind(zone, kind.parameters_type.model_validate(self.parameters), schedule)

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names that count for it."""
        names: tuple[str, ...] = RULES[self.rule].parameters_type.model_validate(self.parameters).classes
        return names

    @property
    def kind_key(self) -> str:
        """The kind of violation it reports."""
        return self.kind or RULES[self.rule].kinds[0]


def _has_no_blanks(url: str | None) -> str | None:
    if url is None:
        return None
    if not url.strip():
        raise refuse("is empty; give a file or an rtsp:// address")
    missing = [name for name in _VARIABLE.findall(url) if name not in os.environ]
    if missing:
        raise refuse(
            f"names the environment variable {missing[0]}, which is not set: "
            f"write {missing[0]}=… into /etc/teawatch/secrets.env, or set it before the command"
        )
    return url


class GateSection(Section):
    """How closely a camera is watched while nothing happens before it."""

    check_every_s: float = Field(default=60.0, ge=1, le=3600)
    recheck_s: float = Field(default=2.0, ge=0.2, le=5)
    calm_s: float = Field(default=2.0, ge=0.5, le=60)
    fruitless_s: float = Field(default=20.0, ge=5, le=3600)


def _gate(value: object) -> object:
    if isinstance(value, str):
        if value not in ("auto", "always"):
            raise refuse(unknown("gate", value, ("auto", "always")))
        return {} if value == "auto" else None
    return value


class ClipSection(Section):
    """How much of the stream goes with an alert, and how much of it the box remembers."""

    pre_roll_s: float = Field(default=5.0, ge=0, le=120)
    post_roll_s: float = Field(default=10.0, ge=0, le=120)
    ring_mb: int = Field(default=16, ge=1, le=4096)


def _size(value: object) -> object:
    """`1280x720` as width and height."""
    width, _, height = value.partition("x") if isinstance(value, str) else ("", "", "")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise refuse(f"{value!r} is no size; write width and height like 1280x720")
    return int(width), int(height)


class UsbSection(Section):
    """What is asked of a USB camera, which can do several things."""

    encoding: Encoding | None = None
    size: Annotated[tuple[int, int] | None, BeforeValidator(_size)] = None
    rate_per_s: float | None = Field(default=None, ge=0.1, le=120)


class CameraSection(Section):
    """One camera, its zones and the rules that watch them."""

    id: Id
    url: Annotated[str | None, AfterValidator(_has_no_blanks), Field(repr=False)] = None
    main_url: Annotated[str | None, AfterValidator(_has_no_blanks), Field(repr=False)] = None
    pipeline: Annotated[str | None, AfterValidator(_has_no_blanks), Field(repr=False)] = None
    transport: Transport = Transport.TCP
    certificate: str = ""
    usb: UsbSection | None = None
    silence_s: float = Field(default=SILENCE_S, ge=1, le=600)
    max_pixels: int = Field(default=MAX_PIXELS, ge=1, le=2**28)
    pace: Pace = Pace.REALTIME
    detections_per_s: float = Field(default=3.0, ge=0.01, le=30)
    gate: Annotated[GateSection | None, BeforeValidator(_gate)] = GateSection()
    clip: ClipSection = ClipSection()
    zones: tuple[ZoneSection, ...] = Field(min_length=1)
    rules: tuple[RuleSection, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        _no_twins("zone", (zone.id for zone in self.zones))
        _no_twins("rule", (rule.id for rule in self.rules))
        if (self.url is None) == (self.pipeline is None):
            raise refuse("a camera has a url or a pipeline, one of them")
        if self.usb and not is_device(self.url or ""):
            raise refuse("usb is for cameras whose url is a video device, such as /dev/video0")
        zones = [zone.id for zone in self.zones]
        for rule in self.rules:
            if rule.zone not in zones:
                raise refuse(f"rule {rule.id}: {unknown('zone', rule.zone, zones)}")
        return self

    @property
    def is_live(self) -> bool:
        """Whether its pictures are of now, not recorded ones."""
        return self.url is None or is_live(self.url)

    def source(self, folder: Path) -> Camera:
        """What `streams` opens; a relative path of a file starts at the configuration's folder."""
        if self.pipeline is not None:
            return Camera(
                id=self.id, pipeline=_filled(self.pipeline), silence_s=self.silence_s, max_pixels=self.max_pixels
            )
        return self._camera(self.url or "", folder)

    def main_source(self, folder: Path) -> Camera | None:
        """The stream that evidence is cut from, where it is not the one that is looked at."""
        return self._camera(self.main_url, folder) if self.main_url else None

    def _camera(self, url: str, folder: Path) -> Camera:
        url = _filled(url)
        if "://" not in url:
            url = str(folder / Path(url).expanduser())
        return Camera(
            id=self.id,
            url=url,
            pace=self.pace,
            transport=self.transport,
            certificate=str(folder / Path(self.certificate).expanduser()) if self.certificate else "",
            silence_s=self.silence_s,
            max_pixels=self.max_pixels,
            wish=self._wish,
        )

    @property
    def _wish(self) -> Wish:
        usb = self.usb or UsbSection()
        return Wish(encoding=usb.encoding, size_px=usb.size, rate_per_s=usb.rate_per_s)


def _filled(text: str) -> str:
    """With environment variables in place of their names."""
    return _VARIABLE.sub(lambda found: os.environ[found[1]], text)


class DetectorSection(Section):
    """The network all cameras of the box share."""

    model: str = "yolov3_tiny"
    score: float | None = Field(default=None, gt=0, lt=1)


class UploadsSection(Section):
    """How evidence travels to the centre."""

    limit_kbit_s: int = Field(default=0, ge=0, le=10_000_000)
    keep_free_mb: int = Field(default=200, ge=0, le=1_000_000)

    @property
    def limit_bits_per_s(self) -> int:
        """As the uploader takes it; 0: no limit."""
        return self.limit_kbit_s * 1000

    @property
    def keep_free_bytes(self) -> int:
        """As the uploader takes it."""
        return self.keep_free_mb * 1_000_000


class Config(Section):
    """Everything one box does."""

    detector: DetectorSection = DetectorSection()
    uploads: UploadsSection = UploadsSection()
    cameras: tuple[CameraSection, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        _no_twins("camera", (camera.id for camera in self.cameras))
        return self


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration with its file's hash, which stands in every alert, and the model card it names."""

    config: Config
    sha256: str
    path: Path
    card: ModelCard

    def sources(self) -> tuple[Camera, ...]:
        """Every camera as `streams` opens it."""
        folder = self.path.resolve().parent
        return tuple(camera.source(folder) for camera in self.config.cameras)

    def main_sources(self) -> tuple[Camera | None, ...]:
        """Every camera's stream for evidence, where it has one of its own."""
        folder = self.path.resolve().parent
        return tuple(camera.main_source(folder) for camera in self.config.cameras)


def read_config(path: Path) -> Loaded:
    """Read and check a configuration; raises ConfigError."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({(error.strerror or 'unknown reason').lower()}); edge/sample.yaml shows one"
        ) from None
    try:
        data = read_yaml(raw)
    except YamlMistake as error:
        raise ConfigError(f"{path}: {error}") from None
    if data is None:
        raise ConfigError(f"{path}: the file is empty; edge/sample.yaml shows what it may say")
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        raise ConfigError(*(f"{path}: {line}" for line in describe(error, data, "", Config))) from None
    try:
        card = find_card(config.detector.model, path.parent)
    except ModelError as error:
        raise ConfigError(f"{path}: detector.model: {error}") from None
    problems = [f"{path}: {line}" for line in _class_problems(config, card)]
    if problems:
        raise ConfigError(*problems)
    return Loaded(config, hashlib.sha256(raw).hexdigest(), path, card)


def _class_problems(config: Config, card: ModelCard) -> Iterable[str]:
    """Classes that the rules name and the model does not know."""
    for camera in config.cameras:
        for rule in camera.rules:
            for name in rule.classes:
                if name not in card.classes:
                    where = f"cameras[{camera.id}].rules[{rule.id}].parameters.classes"
                    yield f"{where}: {unknown(f'class of model {card.name}', name, card.classes)}"


def _no_twins(what: str, ids: Iterable[str]) -> None:
    for name, count in Counter(ids).items():
        if count > 1:
            raise refuse(f"{count} {what}s are called {name!r}; each needs an id of its own")
