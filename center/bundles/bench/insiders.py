"""Ways to tamper with a bundle at the centre, with its own key: then only what the boxes signed can tell."""

import json
from datetime import timedelta

from alerts import dsse, wire
from alerts.bundles.proofs import HEAD_NAME, PROOFS_NAME, write_proofs
from alerts.bundles.seal import derivative_name, record_name, recording_name
from alerts.bundles.stamps import STAMP_NAME, STAMPED_NAME
from alerts.records import hash_of
from center.bundles.bench.victims import Victim, flip, pack, retold, seal_of, with_members


def alter(victim: Victim) -> bytes:
    """A picture, clip or record is altered, and the centre's key seals it."""
    members = victim.members
    folder = victim.random.choice(["files/", "records/"])
    names = [name for name in members if name.startswith(folder)]
    if not names:
        names = [name for name in members if name.startswith("records/")]
    name = victim.random.choice(names)
    altered = members | {name: flip(members[name], victim.random)}
    return pack(with_members(victim, altered, seal_of(members, victim.scene), victim.scene.centre))


def forge(victim: Victim) -> bytes:
    """A record is told otherwise, signed with a key that is not that box's at that place, and the centre seals it."""
    envelope = dsse.read_envelope(next(data for name, data in victim.members.items() if name.startswith("records/")))
    wrong = [key for key in (victim.scene.stranger, *victim.scene.boxes) if key.key_id != envelope.key_id]
    return pack(retold(victim, victim.random.choice(wrong), victim.scene.centre))


def splice(victim: Victim) -> bytes:
    """A record from between is taken out, and the centre's seal does not know it."""
    members, seal = victim.members, seal_of(victim.members, victim.scene)
    inner = [
        each
        for each in seal.records
        if min(one.sequence for one in seal.records) < each.sequence < max(one.sequence for one in seal.records)
    ]
    if not inner:
        return cut(victim)
    gone = victim.random.choice(inner)
    del members[record_name(gone.device, gone.epoch, gone.sequence, gone.sha256)]
    changed = seal.model_copy(update={"records": tuple(each for each in seal.records if each != gone)})
    return pack(with_members(victim, members, changed, victim.scene.centre))


def cut(victim: Victim) -> bytes:
    """The record of the last revision is taken out, and the centre's seal still ends with it."""
    members, seal = victim.members, seal_of(victim.members, victim.scene)
    end = seal.ends[0]
    del members[record_name(end.device, end.epoch, end.sequence, end.record_sha256)]
    kept = tuple(each for each in seal.records if each.sha256 != end.record_sha256)
    return pack(with_members(victim, members, seal.model_copy(update={"records": kept}), victim.scene.centre))


def swap(victim: Victim) -> bytes:
    """The files or records of another case are put in, or the case's name is changed, and the centre seals it."""
    members, seal = victim.members, seal_of(victim.members, victim.scene)
    others, foreign = victim.others, seal_of(victim.others, victim.scene)
    choice = victim.random.randrange(3)
    strange = [name for name in others if name.startswith("files/") and name not in members]
    if choice == 0 and strange:
        name = victim.random.choice(strange)
        members[name] = others[name]
        return pack(with_members(victim, members, seal, victim.scene.centre))
    if choice == 1 and foreign.ends != seal.ends:
        changed = seal.model_copy(update={"ends": foreign.ends})
        return pack(with_members(victim, members, changed, victim.scene.centre))
    changed = seal.model_copy(update={"case": f"{seal.case}9"})
    return pack(with_members(victim, members, changed, victim.scene.centre))


def rerecord(victim: Victim) -> bytes:
    """An officer's recording is replaced, or said to be of another time, and the centre seals it: the log knows."""
    members, seal = victim.members, seal_of(victim.members, victim.scene)
    if not seal.recordings:
        return alter(victim)
    told = victim.random.choice(seal.recordings)
    change: dict[str, object] = {"added_at": told.added_at + timedelta(minutes=victim.random.randrange(1, 10_000))}
    if victim.random.randrange(2):
        film = flip(members.pop(recording_name(told.sha256, told.media_type)), victim.random)
        change = {"sha256": hash_of(film)}
        members[recording_name(hash_of(film), told.media_type)] = film
    recordings = tuple(each.model_copy(update=change) if each is told else each for each in seal.recordings)
    return pack(with_members(victim, members, seal.model_copy(update={"recordings": recordings}), victim.scene.centre))


def redraw(victim: Victim) -> bytes:
    """A redacted copy is replaced, or said to be made of another file, and the centre seals it: the log knows."""
    members, seal = victim.members, seal_of(victim.members, victim.scene)
    if not seal.derivatives:
        return rerecord(victim)
    told = victim.random.choice(seal.derivatives)
    files = sorted(name.rpartition("-")[2][:64] for name in members if name.startswith("files/"))
    change: dict[str, object] = {"derived_from": next(each for each in files if each != told.derived_from)}
    if victim.random.randrange(2):
        copy = flip(members.pop(derivative_name(told.sha256, told.media_type)), victim.random)
        change = {"sha256": hash_of(copy)}
        members[derivative_name(hash_of(copy), told.media_type)] = copy
    changed = tuple(each.model_copy(update=change) if each is told else each for each in seal.derivatives)
    return pack(with_members(victim, members, seal.model_copy(update={"derivatives": changed}), victim.scene.centre))


def unlog(victim: Victim) -> bytes:
    """The log's proofs are left out or emptied, and the centre seals it as if it had none."""
    members, seal = victim.members, seal_of(victim.members, victim.scene)
    if victim.random.randrange(2):
        kept = {name: data for name, data in members.items() if name not in {HEAD_NAME, PROOFS_NAME}}
        return pack(with_members(victim, kept, seal, victim.scene.centre))
    told = json.loads(members[PROOFS_NAME])["proofs"]
    changed = seal.model_copy(update={"unlogged": seal.unlogged + len(told)})
    return pack(with_members(victim, members | {PROOFS_NAME: write_proofs(())}, changed, victim.scene.centre))


def restamp(victim: Victim) -> bytes:
    """The authority's stamp is altered, taken from another one, moved in time or to another head, and sealed."""
    members, seal = victim.members, seal_of(victim.members, victim.scene)
    if seal.stamp is None:
        return unlog(victim)
    told = seal.stamp
    match victim.random.randrange(5):
        case 0:
            members[STAMP_NAME] = flip(members[STAMP_NAME], victim.random)
        case 1:
            members[STAMP_NAME] = victim.scene.strange_stamps[members[STAMPED_NAME]]
        case 2:
            told = told.model_copy(update={"at": told.at - timedelta(seconds=victim.random.randrange(1, 10**7))})
        case 3:
            del members[STAMP_NAME]
        case _:
            size = int(members[HEAD_NAME].split(b"\n")[1])
            told = told.model_copy(update={"size": size})
            proofs = json.loads(members[PROOFS_NAME]) | {"stamped": []}
            members |= {STAMPED_NAME: members[HEAD_NAME], PROOFS_NAME: wire.encode(proofs)}
    return pack(with_members(victim, members, seal.model_copy(update={"stamp": told}), victim.scene.centre))


def backdate(victim: Victim) -> bytes:
    """The times of receipt are moved before the times at which the box says it spoke, or beyond the seal's."""
    members, seal = victim.members, seal_of(victim.members, victim.scene)
    later = victim.random.choice([timedelta(days=-30_000), timedelta(days=365 * 50)])
    moved = tuple(each.model_copy(update={"received_at": each.received_at + later}) for each in seal.records)
    if later < timedelta(0):  # a box whose clock was not set makes no claim that could contradict this
        moved = tuple(each.model_copy(update={"received_at": each.received_at - 2 * later}) for each in moved)
    return pack(with_members(victim, members, seal.model_copy(update={"records": moved}), victim.scene.centre))
