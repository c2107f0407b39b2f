"""Ways to tamper with a bundle from outside: with a hex editor, a ZIP program, the product and keys of one's own."""

import io
import struct
import zipfile
from typing import Any

from alerts import dsse, wire
from alerts.bundles.container import open_bytes
from alerts.bundles.seal import SEAL_NAME
from center.bundles.bench.victims import Members, Victim, altered, flip, pack, retold, seal_of, with_members

CENTRAL = b"PK\x01\x02"


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
    changes: dict[str, object] = random.choice(
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


def rewrite_seal(victim: Victim) -> bytes:
    """A member is altered and the seal's list put right, under the old signature or under one of another seal."""
    members = altered(victim)
    seal = seal_of(victim.members, victim.scene)
    raw = with_members(victim, members, seal, victim.scene.stranger)[SEAL_NAME]
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
    members = altered(victim) | {"keys.json": stranger.verify_key.to_text().encode()}
    return pack(with_members(victim, members, seal_of(victim.members, victim.scene), stranger))


def forge_all(victim: Victim) -> bytes:
    """A record told otherwise, signed and sealed anew with keys of one's own, throughout."""
    return pack(retold(victim, victim.scene.stranger, victim.scene.stranger))
