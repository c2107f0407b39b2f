"""Ways to tamper with a bundle. Each gives bytes that differ from every intact bundle's of that case.

Who tampers knows more and more: somebody with a hex editor, somebody with the product and keys of their own, and at
last somebody at the centre who can use its key: then only what the boxes signed can tell.
"""

import io
import struct
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from types import MappingProxyType
from typing import Any, TypeAlias

from alerts import dsse, events, wire
from alerts.bundles.container import Part, open_bytes, write_container
from alerts.bundles.seal import SEAL_NAME, BundleSeal, read_seal, record_name, write_seal
from alerts.keys import SigningKey
from alerts.messages import Event
from center.bundles.bench.scene import Case, Scene

Members: TypeAlias = dict[str, bytes]
LOCAL, CENTRAL = b"PK\x03\x04", b"PK\x01\x02"


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


# With a hex editor.


def flip_anywhere(victim: Victim) -> bytes:
    """A bit of the file."""
    return flip(victim.case.raw, victim.random)


def flip_header(victim: Victim) -> bytes:
    """A bit of a ZIP header: a local one, one of the directory, or the end's."""
    raw, random = victim.case.raw, victim.random
    container = open_bytes(raw)
    member = random.choice(list(container.members.values()))
    length = 30 + len(member.name)
    directory = raw.rindex(CENTRAL, 0, len(raw) - 22) if random.random() < 1 / 3 else -1
    begins, end = random.choice(
        [(member.begins - length, member.begins), (directory, len(raw)), (len(raw) - 22, len(raw))]
        if directory >= 0
        else [(member.begins - length, member.begins)]
    )
    return raw[:begins] + flip(raw[begins:end], random) + raw[end:]


def flip_member(victim: Victim) -> bytes:
    """A bit of one member's bytes, each member as likely as another, its check sum left as it was."""
    container = open_bytes(victim.case.raw)
    member = victim.random.choice(list(container.members.values()))
    raw, end = victim.case.raw, member.begins + member.size_bytes
    return raw[: member.begins] + flip(raw[member.begins : end], victim.random) + raw[end:]


def flip_and_repack(victim: Victim) -> bytes:
    """A bit of one member's bytes, packed again as the centre does."""
    members = victim.members
    name = victim.random.choice(list(members))
    return pack(members | {name: flip(members[name], victim.random)})


def cut_tail(victim: Victim) -> bytes:
    """The end of the file is missing."""
    raw = victim.case.raw
    return raw[: victim.random.randrange(len(raw))]


def cut_middle(victim: Victim) -> bytes:
    """A piece out of the file is missing."""
    raw, random = victim.case.raw, victim.random
    begins = random.randrange(len(raw) - 1)
    return raw[:begins] + raw[random.randrange(begins + 1, len(raw)) :]


def add_bytes(victim: Victim) -> bytes:
    """Something before, after or within the file."""
    raw, random = victim.case.raw, victim.random
    at = random.choice([0, len(raw), random.randrange(len(raw))])
    return raw[:at] + random.randbytes(random.randrange(1, 64)) + raw[at:]


def splice_files(victim: Victim) -> bytes:
    """The beginning of one bundle, the end of another."""
    raw, other, random = victim.case.raw, victim.other.raw, victim.random
    return raw[: random.randrange(1, len(raw))] + other[random.randrange(len(other) - 1) :]


# With a ZIP program.


def delete_member(victim: Victim) -> bytes:
    """A member is missing."""
    members = victim.members
    del members[victim.random.choice(list(members))]
    return pack(members)


def add_member(victim: Victim) -> bytes:
    """A member too many: of another bundle, or made up."""
    members, others = victim.members, victim.others
    strange = sorted(others.keys() - members.keys())
    name = victim.random.choice([*strange, "keys.json", "records/notes.txt", "files/picture.jpg"])
    return pack(members | {name: others.get(name, victim.random.randbytes(32))})


def rename_member(victim: Victim) -> bytes:
    """A member under another name."""
    members = victim.members
    name = victim.random.choice(list(members))
    return pack({(f"{each}x" if each == name else each): data for each, data in members.items()})


def exchange_members(victim: Victim) -> bytes:
    """Two members under each other's name."""
    members = victim.members
    first, second = victim.random.sample(list(members), 2)
    return pack(members | {first: members[second], second: members[first]})


def reorder_records(victim: Victim) -> bytes:
    """The records' bytes in another order under the same names."""
    members = victim.members
    names = [name for name in members if name.startswith("records/")]
    shuffled = names[:]
    while shuffled == names and len(names) > 1:
        victim.random.shuffle(shuffled)
    return pack(members | {name: members[other] for name, other in zip(names, shuffled, strict=True)})


def reorder_members(victim: Victim) -> bytes:
    """The members in another order within the file."""
    members = list(victim.members.items())
    order = members[:]
    while order == members:
        victim.random.shuffle(order)
    return _zipped(dict(order))


def cut_records(victim: Victim) -> bytes:
    """The last records are missing, as if the incident had ended earlier."""
    members = victim.members
    names = sorted(name for name in members if name.startswith("records/"))
    gone = set(names[-victim.random.randrange(1, len(names) + 1) :])
    return pack({name: data for name, data in members.items() if name not in gone})


def swap_member(victim: Victim) -> bytes:
    """A member of another case under the name of one of this."""
    members, others = victim.members, victim.others
    folder = victim.random.choice(["records/", "files/", "because", SEAL_NAME, "log/"])
    mine = [name for name in members if name.startswith(folder)]
    theirs = [name for name in others if name.startswith(folder)]
    if not mine or not theirs:
        mine, theirs = [SEAL_NAME], [SEAL_NAME]
    return pack(members | {victim.random.choice(mine): others[victim.random.choice(theirs)]})


def swap_case(victim: Victim) -> bytes:
    """The whole bundle of another case, handed in for this one."""
    return victim.other.raw


def _zipped(members: Members, **changes: object) -> bytes:
    """Packed by a ZIP program, every field as the centre has it but for `changes`."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as packed:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.external_attr, info.create_system = 0o100644 << 16, 3
            for field, value in changes.items():
                setattr(info, field, value)
            packed.writestr(info, data)
    return target.getvalue()


def change_metadata(victim: Victim) -> bytes:
    """Other times, modes, systems, comments, extra fields, or compressed."""
    random = victim.random
    changes: Mapping[str, object] = random.choice(
        [
            {"date_time": (random.randrange(1981, 2100), 1, 1, 0, 0, 0)},
            {"external_attr": random.choice([0o100755, 0o120777, 0o100600, 0o104644]) << 16},
            {"create_system": random.choice([0, 7, 19])},
            {"comment": random.randbytes(8)},
            {"extra": struct.pack("<HH", 0x4242, 4) + random.randbytes(4)},
            {"compress_type": random.choice([zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])},
            {"internal_attr": 1},
        ]
    )
    return _zipped(victim.members, **changes)


def add_twice(victim: Victim) -> bytes:
    """A member whose name stands twice, with other bytes."""
    members = victim.members
    name = victim.random.choice(list(members)).encode()
    passing = b"?" * len(name)
    raw = pack(members | {passing.decode().replace("?", "0"): victim.random.randbytes(64)})
    return raw.replace(passing.replace(b"?", b"0"), name)


# With the product, and keys of one's own.


def rewrite_seal(victim: Victim) -> bytes:
    """A member is altered and the seal's list put right, under the old signature or under one of another seal."""
    members = _altered(victim)
    seal = _seal_of(victim.members, victim.scene)
    raw = _with_members(victim, members, seal, victim.scene.stranger)[SEAL_NAME]
    envelope = wire.decode_object(raw, max_bytes=2**23)
    old = wire.decode_object(victim.random.choice([victim.members, victim.others])[SEAL_NAME], max_bytes=2**23)
    return pack(members | {SEAL_NAME: wire.encode(envelope | {"signatures": old["signatures"]})})


def replace_signature(victim: Victim) -> bytes:
    """The signature of the seal or of a record is another one."""
    members = victim.members
    names = [SEAL_NAME, *(name for name in members if name.startswith("records/"))]
    name = victim.random.choice(names)
    envelope: dict[str, Any] = wire.decode_object(members[name], max_bytes=2**23)
    signature = dict(envelope["signatures"][0])
    key = victim.random.choice([victim.scene.stranger, *victim.scene.boxes])
    forged = wire.decode_object(dsse.seal(victim.random.randbytes(9), "x", key))
    signature["sig"] = forged["signatures"][0]["sig"]  # type: ignore[index]
    return pack(members | {name: wire.encode(envelope | {"signatures": [signature]})})


def forge_seal(victim: Victim) -> bytes:
    """Everything sealed anew with a key of one's own, which is put in too."""
    stranger = victim.scene.stranger
    members = _altered(victim) | {"keys.json": stranger.verify_key.to_text().encode()}
    return pack(_with_members(victim, members, _seal_of(victim.members, victim.scene), stranger))


def forge_all(victim: Victim) -> bytes:
    """A record told otherwise, signed and sealed anew with keys of one's own, throughout."""
    return pack(_retold(victim, victim.scene.stranger, victim.scene.stranger))


# With the centre's own key.


def insider_alters(victim: Victim) -> bytes:
    """A picture, clip or record is altered, and the centre's key seals it."""
    members = victim.members
    folder = victim.random.choice(["files/", "records/"])
    names = [name for name in members if name.startswith(folder)]
    if not names:
        names = [name for name in members if name.startswith("records/")]
    name = victim.random.choice(names)
    altered = members | {name: flip(members[name], victim.random)}
    return pack(_with_members(victim, altered, _seal_of(members, victim.scene), victim.scene.centre))


def insider_forges(victim: Victim) -> bytes:
    """A record is told otherwise, signed with a key that is not that box's at that place, and the centre seals it."""
    envelope = dsse.read_envelope(next(data for name, data in victim.members.items() if name.startswith("records/")))
    wrong = [key for key in (victim.scene.stranger, *victim.scene.boxes) if key.key_id != envelope.key_id]
    return pack(_retold(victim, victim.random.choice(wrong), victim.scene.centre))


def insider_splices(victim: Victim) -> bytes:
    """A record from between is taken out, and the centre's seal does not know it."""
    members, seal = victim.members, _seal_of(victim.members, victim.scene)
    inner = [
        each
        for each in seal.records
        if min(one.sequence for one in seal.records) < each.sequence < max(one.sequence for one in seal.records)
    ]
    if not inner:
        return insider_cuts(victim)
    gone = victim.random.choice(inner)
    del members[record_name(gone.device, gone.epoch, gone.sequence, gone.sha256)]
    changed = seal.model_copy(update={"records": tuple(each for each in seal.records if each != gone)})
    return pack(_with_members(victim, members, changed, victim.scene.centre))


def insider_cuts(victim: Victim) -> bytes:
    """The record of the last revision is taken out, and the centre's seal still ends with it."""
    members, seal = victim.members, _seal_of(victim.members, victim.scene)
    end = seal.ends[0]
    del members[record_name(end.device, end.epoch, end.sequence, end.record_sha256)]
    kept = tuple(each for each in seal.records if each.sha256 != end.record_sha256)
    return pack(_with_members(victim, members, seal.model_copy(update={"records": kept}), victim.scene.centre))


def insider_swaps(victim: Victim) -> bytes:
    """The files or records of another case are put in, or the case's name is changed, and the centre seals it."""
    members, seal = victim.members, _seal_of(victim.members, victim.scene)
    others, foreign = victim.others, _seal_of(victim.others, victim.scene)
    choice = victim.random.randrange(3)
    strange = [name for name in others if name.startswith("files/") and name not in members]
    if choice == 0 and strange:
        name = victim.random.choice(strange)
        members[name] = others[name]
        return pack(_with_members(victim, members, seal, victim.scene.centre))
    if choice == 1 and foreign.ends != seal.ends:
        changed = seal.model_copy(update={"ends": foreign.ends})
        return pack(_with_members(victim, members, changed, victim.scene.centre))
    changed = seal.model_copy(update={"case": f"{seal.case}9"})
    return pack(_with_members(victim, members, changed, victim.scene.centre))


def insider_backdates(victim: Victim) -> bytes:
    """The times of receipt are moved before the times at which the box says it spoke, or beyond the seal's."""
    members, seal = victim.members, _seal_of(victim.members, victim.scene)
    later = victim.random.choice([timedelta(days=-30_000), timedelta(days=365 * 50)])
    moved = tuple(each.model_copy(update={"received_at": each.received_at + later}) for each in seal.records)
    if later < timedelta(0):  # a box whose clock was not set makes no claim that could contradict this
        moved = tuple(each.model_copy(update={"received_at": each.received_at - 2 * later}) for each in moved)
    return pack(_with_members(victim, members, seal.model_copy(update={"records": moved}), victim.scene.centre))


def _altered(victim: Victim) -> Members:
    members = victim.members
    name = victim.pick(members)
    return members | {name: flip(members[name], victim.random)}


def _seal_of(members: Members, scene: Scene) -> BundleSeal:
    return read_seal(members[SEAL_NAME], {scene.centre.key_id: scene.centre.verify_key}.get).data


def _with_members(victim: Victim, members: Members, seal: BundleSeal, key: SigningKey) -> Members:
    """The members with a seal by `key` that lists just them."""
    old = read_seal(victim.members[SEAL_NAME], {victim.scene.centre.key_id: victim.scene.centre.verify_key}.get)
    parts = [Part.of(name, data) for name, data in members.items() if name != SEAL_NAME]
    listed = tuple(
        type(seal.members[0])(name=part.name, sha256=part.sha256, size_bytes=part.size_bytes) for part in parts
    )
    new = seal.model_copy(update={"members": listed})
    return members | {SEAL_NAME: write_seal(new, key=key, tenant=old.event.tenant, at=old.event.time)}


def _retold(victim: Victim, signer: SigningKey, sealer: SigningKey) -> Members:
    """The last record of the incident with another time, signed by `signer`, everything put right and sealed."""
    members, seal = victim.members, _seal_of(victim.members, victim.scene)
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
    return _with_members(victim, members, seal.model_copy(update={"records": records, "ends": ends}), sealer)


Mutation: TypeAlias = Callable[[Victim], bytes]

MUTATIONS: Mapping[str, Sequence[Mutation]] = MappingProxyType(
    {
        "bit_flip": (flip_anywhere, flip_header, flip_member, flip_and_repack),
        "tail_cut": (cut_tail, cut_records),
        "splice": (splice_files, cut_middle, add_bytes, insider_splices),
        "reorder": (reorder_records, reorder_members, exchange_members),
        "deletion": (delete_member, insider_cuts),
        "addition": (add_member, add_twice, rename_member),
        "swap": (swap_member, swap_case, insider_swaps),
        "metadata": (change_metadata,),
        "manifest": (rewrite_seal, forge_seal, insider_alters),
        "signature": (replace_signature, forge_all, insider_forges),
        "time": (insider_backdates,),
    }
)


def mutate(victim: Victim, mutation: Mutation) -> bytes:
    """Tampered bytes, which are not the bundle's own; drawn again where the draw changed nothing."""
    while (raw := mutation(victim)) == victim.case.raw:
        victim = replace(victim)
    return raw
