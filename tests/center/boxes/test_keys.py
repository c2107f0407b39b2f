"""Keys over time: what a key signed in its time stays true in any order, what came after its end is put aside."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from alerts import dsse
from alerts.control_messages import Disposition, Span, Status
from alerts.keys import SigningKey
from alerts.records import FIRST_PREVHASH, write_record
from alerts.status import write_status
from alerts.topics import Channel
from center.boxes.devices import Device, DeviceKey
from center.boxes.distrust import distrust_beyond
from center.boxes.keys import Reach, ask_rotation, list_keys, register, revoke, rotation_commands, rotations_asked
from center.errors import KeySpent, UnknownDevice, UnknownJournal
from center.intake.filing import Outcome
from center.intake.journal import EpochRow, JournalRow
from center.intake.quarantine import Limits, QuarantineEntry
from enforcement.leads import Lead
from tests.center.stage import BOX, NOW, TENANT, Box, Stage, Web, make_alert, make_clock


def keys_of(stage: Stage) -> list[tuple[str, str, tuple[Reach, ...]]]:
    with stage.office.database.reading() as session:
        return [(each.key.key_id, each.ending, each.reaches) for each in list_keys(session, TENANT, BOX)]


def shut_out(stage: Stage, **more: str | int) -> None:
    stage.clock.advance(seconds=1)
    with stage.office.database.writing() as session:
        revoke(session, tenant=TENANT, name=BOX, at=stage.clock(), **more)


def old_self(box: Box, key: SigningKey) -> Box:
    """Somebody who has the key that this box gave up, and its journal."""
    thief = Box(replace(box.identity, signing_key=key), box.epoch)
    thief.records = list(box.records)
    return thief


def test_after_a_rotation_the_new_key_is_heard_and_what_the_old_one_signed_before_still_is(
    stage: Stage, box: Box
) -> None:
    old = box.identity.signing_key
    late = box.write(make_alert(incident="before"))
    rotation = box.rotate()
    after = box.write(make_alert(incident="after"))

    outcomes = [stage.hear(record.raw) for record in (rotation, after, late)]

    assert outcomes == [Outcome.STORED] * 3
    assert {lead.incident for lead in stage.all(Lead)} == {"before", "after"}
    assert stage.last_receipt().cumulative == 3
    assert keys_of(stage) == [
        (old.key_id, "rotated", (Reach(box.epoch, 1, 2),)),
        (box.identity.signing_key.key_id, "", (Reach(box.epoch, 3, None),)),
    ]


@pytest.mark.parametrize("seed", range(6))
def test_in_whatever_order_records_around_two_rotations_come_none_is_lost_and_each_counts_once(
    stage: Stage, box: Box, seed: int
) -> None:
    said = set[str]()
    for number in range(3):
        for each in "ab":
            said.add(f"{number}{each}")
            box.write(make_alert(incident=f"{number}{each}"))
        box.rotate()
    order = [*box.records]
    random.Random(seed).shuffle(order)

    for record in order:
        stage.hear(record.raw)

    assert {lead.incident for lead in stage.all(Lead)} == said
    (epoch,) = stage.all(EpochRow)
    assert (epoch.cumulative, epoch.forks, epoch.breaks) == (len(box.records), 0, 0)
    assert {row.disposition for row in stage.all(JournalRow)} == {"stored"}
    assert all(entry.settled_at is not None for entry in stage.all(QuarantineEntry)), (
        "what waited is marked as taken in"
    )
    assert {span.disposition for span in stage.last_receipt().spans} <= {"stored"}


def test_a_record_of_the_new_key_that_comes_first_waits_in_sight_and_the_rotations_receipt_covers_it(
    stage: Stage, box: Box
) -> None:
    rotation, after = box.rotate(), box.write(make_alert())

    assert stage.hear(after.raw) is Outcome.REFUSED, "no receipt: the box keeps it"
    assert stage.quarantined() == {"unknown_key": 1}
    assert stage.sent == []

    assert stage.hear(rotation.raw) is Outcome.STORED
    assert stage.count(Lead) == 1
    (entry,) = stage.all(QuarantineEntry)
    assert entry.settled_at == NOW
    assert stage.last_receipt().cumulative == 2


def test_what_the_old_key_signs_after_its_end_is_put_aside_with_a_receipt_that_says_so(stage: Stage, box: Box) -> None:
    old = box.identity.signing_key
    stage.hear(box.rotate().raw)
    forged = old_self(box, old).write(make_alert())

    assert stage.hear(forged.raw) is Outcome.QUARANTINED
    assert stage.quarantined() == {"retired_key": 1}
    span = Span(first=2, last=2, disposition=Disposition.QUARANTINED, sha256=forged.sha256)
    assert stage.last_receipt().spans == (span,)
    assert stage.count(Lead) == 0
    other_journal = Box(replace(box.identity, signing_key=old), "epoch-of-the-thief")
    assert stage.hear(other_journal.write(make_alert()).raw) is Outcome.QUARANTINED


def test_a_new_key_vouches_for_nothing_before_its_rotation(stage: Stage, box: Box) -> None:
    box.write(make_clock())
    stage.hear(box.rotate().raw)
    rewritten = Box(box.identity, box.epoch)

    assert stage.hear(rewritten.write(make_alert()).raw) is Outcome.QUARANTINED
    assert stage.quarantined() == {"contradiction": 1}


def test_a_given_up_key_names_no_other_successor(stage: Stage, box: Box) -> None:
    thief = old_self(box, box.identity.signing_key)
    stage.hear(box.rotate().raw)

    assert stage.hear(thief.rotate().raw) is Outcome.QUARANTINED
    assert stage.quarantined() == {"contradiction": 1}
    assert stage.hear(thief.write(make_alert()).raw) is Outcome.REFUSED
    assert stage.hear(box.write(make_alert()).raw) is Outcome.STORED, "the box itself goes on"


def test_a_rotation_counts_only_with_both_signatures(stage: Stage, box: Box) -> None:
    old, new = box.identity.signing_key, SigningKey.generate()
    rotation = box.rotate(new)
    envelope = dsse.read_envelope(rotation.raw)
    by_one = dsse.seal(envelope.payload, envelope.payload_type, old)
    by_another = dsse.seal(envelope.payload, envelope.payload_type, old, SigningKey.generate())
    swapped = dsse.seal(envelope.payload, envelope.payload_type, new, old)

    outcomes = [stage.hear(raw) for raw in (by_one, by_another, swapped)]

    assert outcomes == [Outcome.QUARANTINED, Outcome.REFUSED, Outcome.REFUSED], "the first is the box's own, and void"
    assert [key.ending for key in stage.all(DeviceKey)] == [""]


def test_an_alert_with_two_signatures_is_no_second_spelling_of_it(stage: Stage, box: Box) -> None:
    envelope = dsse.read_envelope(box.write(make_alert()).raw)
    doubled = dsse.seal(envelope.payload, envelope.payload_type, box.identity.signing_key, SigningKey.generate())

    assert stage.hear(doubled) is Outcome.REFUSED
    assert stage.count(JournalRow) == 0


def test_a_key_in_use_elsewhere_is_no_successor(stage: Stage, box: Box) -> None:
    other = stage.enrol_box("box-other")

    assert stage.hear(box.rotate(other.identity.signing_key).raw) is Outcome.QUARANTINED
    assert stage.hear(other.write(make_clock()).raw, device="box-other") is Outcome.STORED


def test_a_revocation_names_the_last_trusted_record_and_the_backlog_before_it_is_still_taken(
    stage: Stage, box: Box
) -> None:
    alerts = [box.write(make_alert(incident=f"i-{number}")) for number in range(1, 6)]
    stage.hear(alerts[0].raw)
    stage.hear(alerts[2].raw)

    shut_out(stage, last=3)

    assert [stage.hear(alerts[at].raw) for at in (4, 3, 1)] == [
        Outcome.QUARANTINED,
        Outcome.QUARANTINED,
        Outcome.STORED,
    ]
    assert {lead.incident for lead in stage.all(Lead)} == {"i-1", "i-2", "i-3"}
    assert stage.quarantined() == {"revoked_key": 2}
    receipt = stage.last_receipt()
    assert receipt.cumulative == 5
    aside = [(span.first, span.last) for span in receipt.spans if span.disposition is Disposition.QUARANTINED]
    assert aside == [(4, 5)]
    assert keys_of(stage)[0][1:] == ("revoked", (Reach(box.epoch, 1, 3),))


def test_a_revocation_without_a_number_trusts_what_had_come(stage: Stage, box: Box) -> None:
    first, second, third = (box.write(make_alert(incident=name)) for name in "abc")
    stage.hear(second.raw)

    shut_out(stage)

    assert [stage.hear(each.raw) for each in (first, third)] == [Outcome.STORED, Outcome.QUARANTINED]


def test_a_revocation_far_back_reaches_behind_a_rotation(stage: Stage, box: Box) -> None:
    for number in range(2):
        stage.hear(box.write(make_clock(number)).raw)
    late = box.write(make_alert())
    stage.hear(box.rotate().raw)

    shut_out(stage, last=2)

    assert stage.hear(late.raw) is Outcome.QUARANTINED
    assert [reaches for *_, reaches in keys_of(stage)] == [(Reach(box.epoch, 1, 2),), (Reach(box.epoch, 5, 2),)]


def test_a_status_of_a_key_that_ended_is_refused(stage: Stage, box: Box) -> None:
    status = Status(
        online=True, epoch=box.epoch, connection=1, number=1, pending_records=0, pending_uploads=0, rejected_downlinks=0
    )
    old = box.identity
    stage.hear(box.rotate().raw)

    assert stage.hear(write_status(status, identity=old, at=NOW), channel=Channel.STATUS) is Outcome.REFUSED
    assert stage.quarantined() == {"retired_key": 1}
    assert stage.hear(write_status(status, identity=box.identity, at=NOW), channel=Channel.STATUS) is Outcome.NOTED


@pytest.mark.parametrize("ending", ["revoked", "rotated"])
def test_a_key_that_was_taken_back_or_given_up_does_not_enrol_again(stage: Stage, box: Box, ending: str) -> None:
    old = box.identity.signing_key.verify_key
    if ending == "revoked":
        shut_out(stage)
    else:
        stage.hear(box.rotate().raw)

    with pytest.raises(KeySpent, match=ending), stage.office.database.writing() as session:
        register(session, tenant=TENANT, name=BOX, key=old, enrolment="e-2", at=NOW)


def test_a_replaced_key_that_is_trusted_for_less_later_does_not_enrol_again(stage: Stage, box: Box) -> None:
    old = box.identity.signing_key.verify_key
    for number in range(3):
        stage.hear(box.write(make_clock(number)).raw)
    stage.enrol_box()
    shut_out(stage, last=1)

    with pytest.raises(KeySpent, match="revoked"), stage.office.database.writing() as session:
        register(session, tenant=TENANT, name=BOX, key=old, enrolment="e-3", at=NOW)
    assert keys_of(stage)[0] == (old.key_id, "revoked", (Reach(box.epoch, 1, 1),))


def test_revoking_what_is_not_there_is_said_in_one_line(stage: Stage, box: Box) -> None:
    stage.hear(box.write(make_clock()).raw)
    with pytest.raises(UnknownJournal, match="it has: epoch-1"):
        shut_out(stage, epoch="epoch-9", last=1)
    with pytest.raises(UnknownDevice, match="box-none"), stage.office.database.writing() as session:
        revoke(session, tenant=TENANT, name="box-none", at=NOW)
    assert stage.all(Device)[0].revoked_at is None


def test_a_box_is_asked_for_a_key_while_it_is_on_line_until_its_rotation_came(stage: Stage, box: Box) -> None:
    database, key = stage.office.database, stage.office.keyring.signing_key
    with database.writing() as session:
        ask_rotation(session, tenant=TENANT, name=BOX, at=NOW)
        assert rotations_asked(session, TENANT) == ()
    status = Status(
        online=True, epoch=box.epoch, connection=1, number=1, pending_records=0, pending_uploads=0, rejected_downlinks=0
    )
    stage.hear(write_status(status, identity=box.identity, at=NOW), channel=Channel.STATUS)

    with database.writing() as session:
        ((topic, raw),) = rotation_commands(session, TENANT, key, NOW)
    assert (topic.device, topic.channel) == (BOX, Channel.COMMANDS)
    assert dsse.read_envelope(raw).key_id == key.key_id

    stage.hear(box.rotate().raw)
    with database.reading() as session:
        assert rotations_asked(session, TENANT) == ()


def test_the_api_and_the_page_show_keys_and_what_each_vouches_for(web: Web) -> None:
    box = web.stage.enrol_box()
    web.stage.hear(box.write(make_clock()).raw)
    web.stage.hear(box.rotate().raw)
    shut_out(web.stage)
    web.sign_in("technician")

    (device,) = web.client.get("/api/v1/devices").json()
    page = web.client.get("/devices").text

    assert [(key["ending"], key["reaches"]) for key in device["keys"]] == [
        ("rotated", [{"epoch": "epoch-1", "first": 1, "last": 2}]),
        ("revoked", [{"epoch": "epoch-1", "first": 3, "last": None}]),
    ]
    assert "taken back" in page
    assert "records 1 to 2 are trusted" in page


def test_a_record_at_the_rotations_own_place_is_a_fork_that_both_hear_of(stage: Stage, box: Box) -> None:
    thief = old_self(box, box.identity.signing_key)
    rotation = box.rotate()
    stage.hear(rotation.raw)

    assert stage.hear(thief.write(make_alert()).raw) is Outcome.STORED, "within the old key's reach: people must judge"
    assert stage.last_receipt().is_forked
    assert stage.all(EpochRow)[0].forks == 1


def test_a_record_made_long_before_the_rotation_may_come_long_after(stage: Stage, box: Box) -> None:
    record = write_record(
        make_alert(), identity=box.identity, epoch=box.epoch, sequence=1, prevhash=FIRST_PREVHASH, at=NOW
    )
    box.records.append(record)
    stage.hear(box.rotate().raw)
    stage.clock.at = NOW + timedelta(days=30)

    assert stage.hear(record.raw) is Outcome.STORED


def test_what_came_before_anybody_knew_is_listed_for_people_to_judge(web: Web) -> None:
    stage, box = web.stage, web.stage.enrol_box()
    for number in range(3):
        stage.hear(box.write(make_alert(incident=f"i-{number}")).raw)
    shut_out(stage, last=1)

    with stage.office.database.writing() as session:
        found = distrust_beyond(session, tenant=TENANT, device=BOX, limits=Limits(4096, 100), at=stage.clock())

    assert (found.records, found.leads) == (2, (f"{BOX}.i-1", f"{BOX}.i-2"))
    assert stage.quarantined() == {"revoked_key": 2}
    assert stage.count(Lead) == 3, "somebody may be at work on them"
    web.sign_in("technician")
    page = web.client.get("/quarantine").text
    assert "the last record of it to trust is 1" in page
