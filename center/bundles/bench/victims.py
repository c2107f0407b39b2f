"""What is tampered with, and the tools for it: unpacking, packing, sealing anew."""

import io
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import TypeAlias

from alerts import dsse, events
from alerts.bundles.container import Part, open_bytes, write_container
from alerts.bundles.seal import SEAL_NAME, BundleSeal, read_seal, record_name, write_seal
from alerts.keys import SigningKey
from alerts.messages import Event
from center.bundles.bench.centre import Case
from center.bundles.bench.scene import Scene

Members: TypeAlias = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Victim:
    """The bundle that is tampered with, another one, and what the tamperer has."""

    scene: Scene
    case: Case
    other: Case
    random: Random

    @property
    def members(self) -> Members:
        """The bundle unpacked."""
        return unpack(self.case.raw)

    @property
    def others(self) -> Members:
        """The other one unpacked."""
        return unpack(self.other.raw)

    def pick(self, members: Members, folder: str = "") -> str:
        """The name of some member, but not the seal's."""
        return self.random.choice([name for name in members if name.startswith(folder) and name != SEAL_NAME])


def unpack(raw: bytes) -> Members:
    """Name and bytes of every member."""
    container = open_bytes(raw)
    return {name: container.read(name) for name in container.members}


def pack(members: Members) -> bytes:
    """A container of the right form of these members."""
    target = io.BytesIO()
    write_container(target, [Part.of(name, data) for name, data in members.items()])
    return target.getvalue()


def flip(data: bytes, random: Random) -> bytes:
    """One bit of it the other way."""
    flipped = bytearray(data)
    flipped[random.randrange(len(flipped))] ^= 1 << random.randrange(8)
    return bytes(flipped)


def altered(victim: Victim) -> Members:
    """The members with a bit of one flipped, whichever but the seal."""
    members = victim.members
    name = victim.pick(members)
    return members | {name: flip(members[name], victim.random)}


def seal_of(members: Members, scene: Scene) -> BundleSeal:
    """What the centre sealed."""
    return read_seal(members[SEAL_NAME], {scene.centre.key_id: scene.centre.verify_key}.get).data


def with_members(victim: Victim, members: Members, seal: BundleSeal, key: SigningKey) -> Members:
    """The members with a seal by `key` that lists just them."""
    old = read_seal(victim.members[SEAL_NAME], {victim.scene.centre.key_id: victim.scene.centre.verify_key}.get)
    parts = [Part.of(name, data) for name, data in members.items() if name != SEAL_NAME]
    listed = tuple(
        type(seal.members[0])(name=part.name, sha256=part.sha256, size_bytes=part.size_bytes) for part in parts
    )
    new = seal.model_copy(update={"members": listed})
    return members | {SEAL_NAME: write_seal(new, key=key, tenant=old.event.tenant, at=old.event.time)}


def retold(victim: Victim, signer: SigningKey, sealer: SigningKey) -> Members:
    """The last record of the incident with another time, signed by `signer`, everything put right and sealed."""
    members, seal = victim.members, seal_of(victim.members, victim.scene)
    end = seal.ends[0]
    name = record_name(end.device, end.epoch, end.sequence, end.record_sha256)
    event = events.read_message(Event, dsse.read_envelope(members.pop(name)).payload)
    seconds = victim.random.randrange(1, 240)
    event = event.model_copy(update={"time": event.time - timedelta(seconds=seconds)})
    raw = events.seal_event(event, signer)
    part = Part.of("", raw)
    members[record_name(end.device, end.epoch, end.sequence, part.sha256)] = raw
    records = tuple(
        each.model_copy(update={"sha256": part.sha256}) if each.sha256 == end.record_sha256 else each
        for each in seal.records
    )
    ends = (end.model_copy(update={"record_sha256": part.sha256}),)
    return with_members(victim, members, seal.model_copy(update={"records": records, "ends": ends}), sealer)
