"""From the configuration to what the box is made of: cameras on duty, rules on their posts, who bears witness."""

from collections.abc import Callable

from alerts.messages import Model
from edge.clips import Roll
from edge.config import CameraSection, Loaded
from edge.gate.gate import GateSettings
from edge.incidents import Key
from edge.plan import Plan
from edge.reporting import Witness
from edge.station import Duty
from edge.watch import Post
from edge.zones import Zone
from models.cards import ModelCard
from streams.budget import check_rings, memory_bytes
from streams.frames import Camera, Pace

MEGABYTE = 1024 * 1024
RING_SPARE_S = 5.0
"""A ring remembers so much more than clips need, for a key frame may lie that far back."""


def duties_of(loaded: Loaded, *, until_end: bool = False) -> list[Duty]:
    """Every camera of the configuration as the box watches it."""
    family_of = _families(loaded.card)
    return [
        Duty(
            plan=_plan_of(section, source, main, until_end=until_end),
            posts=tuple(posts_of(section)),
            class_names=loaded.card.classes,
            family_of=family_of,
        )
        for section, source, main in zip(loaded.config.cameras, loaded.sources(), loaded.main_sources(), strict=True)
    ]


def check_memory(loaded: Loaded) -> None:
    """Raises RingTooLarge if what the cameras' rings may take is more than this machine has to spare."""
    check_rings({camera.id: _ring_bytes(camera) for camera in loaded.config.cameras}, memory_bytes())


def posts_of(camera: CameraSection) -> list[Post]:
    """The rules of a camera, each on its zone."""
    zones = {zone.id: Zone(zone.id, zone.polygon) for zone in camera.zones}
    return [
        Post(Key(camera.id, rule.id, rule.zone, rule.kind_key), rule.build(zones[rule.zone])) for rule in camera.rules
    ]


def witnesses_of(loaded: Loaded) -> dict[str, Witness]:
    """What stands in every alert of a camera, by camera."""
    model = Model(name=loaded.card.name, sha256=loaded.card.sha256)
    return {
        camera.id: Witness(footage="live" if camera.is_live else "recording", model=model, config_sha256=loaded.sha256)
        for camera in loaded.config.cameras
    }


def orphan_witness_of(loaded: Loaded) -> Witness:
    """Who closes the incidents of cameras that are no longer configured."""
    model = Model(name=loaded.card.name, sha256=loaded.card.sha256)
    return Witness(footage="live", model=model, config_sha256=loaded.sha256)


def _plan_of(section: CameraSection, source: Camera, main: Camera | None, *, until_end: bool) -> Plan:
    gate, clip = section.gate, section.clip
    return Plan(
        camera=source,
        looks_per_s=section.detections_per_s,
        is_live=section.is_live,
        until_end=until_end,
        is_fast=not section.is_live and section.pace is Pace.FAST,
        gate=GateSettings(is_off=True) if gate is None else GateSettings(**gate.model_dump()),
        ring_s=clip.pre_roll_s + RING_SPARE_S,
        ring_bytes=clip.ring_mb * MEGABYTE,
        classes=frozenset(name for rule in section.rules for name in rule.classes),
        main=main,
        roll=Roll(before_s=clip.pre_roll_s, after_s=clip.post_roll_s, max_bytes=2 * clip.ring_mb * MEGABYTE),
    )


def _ring_bytes(section: CameraSection) -> int:
    return section.clip.ring_mb * MEGABYTE * (2 if section.main_url else 1)


def _families(card: ModelCard) -> Callable[[str], str]:
    """Which family a class belongs to, by the model card's groups."""
    group_of = {member: group for group, members in card.groups.items() for member in members}
    return lambda class_name: group_of.get(class_name, class_name)
