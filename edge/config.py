"""What a technician writes for one box: cameras, zones, rules. Every key is explained in `edge/sample.yaml`.

`read_config` gives a checked value, or a ConfigError whose lines name the place, what exists and what may be meant.
"""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
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

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterator[str]:
        """Kind and parameters are of the rule."""
        name, kind, parameters = written.get("rule"), written.get("kind"), written.get("parameters", {})
        if not isinstance(name, str):
            return
        if name not in RULES:
            yield unknown("rule", name, RULES)
            return
        kinds = [each for each in RULES[name].kinds if each in KINDS]
        if kind and isinstance(kind, str) and kind not in kinds:
            yield unknown(f"kind for rule {name!r}", kind, kinds)
        if isinstance(parameters, dict):
            try:
                RULES[name].parameters_type.model_validate(parameters)
            except ValidationError as error:
                yield from describe(error, parameters, "parameters", RULES[name].parameters_type)

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

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterator[str]:
        """Names are used once, rules name zones that are there, and pictures come from one source."""
        yield from _twins("zone", written.get("zones"))
        yield from _twins("rule", written.get("rules"))
        url = written.get("url")
        if (url is None) == (written.get("pipeline") is None):
            yield "a camera has a url or a pipeline, one of them"
        if written.get("usb") and not (isinstance(url, str) and is_device(url)):
            yield "usb is for cameras whose url is a video device, such as /dev/video0"
        zones = [str(zone.get("id")) for zone in _sections(written.get("zones"))]
        for rule in _sections(written.get("rules")):
            if isinstance(zone := rule.get("zone"), str) and zones and zone not in zones:
                yield f"rule {rule.get('id')}: {unknown('zone', zone, zones)}"

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

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterator[str]:
        """Every camera has a name of its own."""
        yield from _twins("camera", written.get("cameras"))


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
    config = card = None
    problems: list[str] = []
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        problems += describe(error, data, "", Config)
    try:
        card = find_card(_model(data), path.parent)
    except ModelError as error:
        problems.append(f"detector.model: {error}")
    else:
        problems += _class_problems(data, card)
    if problems or config is None or card is None:
        raise ConfigError(*(f"{path}: {problem}" for problem in problems))
    return Loaded(config, hashlib.sha256(raw).hexdigest(), path, card)


def _model(written: object) -> str:
    """The model that a file names, whatever else it holds."""
    section = written.get("detector") if isinstance(written, dict) else None
    name = section.get("model") if isinstance(section, dict) else None
    return name if isinstance(name, str) else DetectorSection().model


def _class_problems(written: object, card: ModelCard) -> Iterator[str]:
    """Classes that the rules name and the model does not know."""
    for camera in _sections(written.get("cameras") if isinstance(written, dict) else None):
        for rule in _sections(camera.get("rules")):
            for name in _classes(rule):
                if name not in card.classes:
                    where = f"cameras[{camera.get('id')}].rules[{rule.get('id')}].parameters.classes"
                    yield f"{where}: {unknown(f'class of model {card.name}', name, card.classes)}"


def _classes(rule: Mapping[str, Any]) -> Iterator[str]:
    """Class names that count for a rule, by its own word or by the rule's."""
    parameters, kind = rule.get("parameters"), rule.get("rule")
    if isinstance(parameters, dict) and "classes" in parameters:
        told = parameters["classes"]
        yield from (name for name in told if isinstance(name, str)) if isinstance(told, list) else ()
    elif isinstance(kind, str) and kind in RULES:
        field = RULES[kind].parameters_type.model_fields.get("classes")
        yield from field.get_default(call_default_factory=True) if field else ()


def _sections(written: object) -> Iterator[Mapping[str, Any]]:
    """What may be sections in a list, of whatever a file holds in its place."""
    yield from (each for each in written if isinstance(each, dict)) if isinstance(written, list) else ()


def _twins(what: str, written: object) -> Iterator[str]:
    for name, count in Counter(str(each.get("id")) for each in _sections(written) if "id" in each).items():
        if count > 1:
            yield f"{count} {what}s are called {name!r}; each needs an id of its own"
