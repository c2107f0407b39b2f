"""Whatever comes over the wire, somebody can see it, nothing false is made of it, and the next alert is taken."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from alerts import dsse
from alerts.keys import SigningKey
from alerts.messages import Alert, ClockQuality
from alerts.topics import Channel
from center.boxes.devices import Device
from center.intake.filing import Outcome
from center.intake.quarantine import QuarantineEntry
from center.pages.quarantine import REASONS
from enforcement.leads import Lead
from enforcement.task_records import Task
from tests.center.stage import BOX, GARDEN, NOW, Box, Stage, Web, identity_of, make_alert, make_clock

KIB = 1024
ALERT_TYPE = dsse.payload_type_of(Alert.TYPE)


UNPROVEN: dict[str, tuple[bytes, str]] = {
    "ten megabytes": (b"x" * 10 * 2**20, "too_large"),
    "ten megabytes of brackets": (b"[" * 10 * 2**20, "too_large"),
    "nested to the limit of size": (b"[" * 60 * KIB, "malformed"),
    "nested objects": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "malformed"),
    "nested under a known field": (b'{"payload":' + b"[" * 30_000 + b"]" * 30_000 + b"}", "malformed"),
    "a number of fifty thousand digits": (b'{"payload":' + b"9" * 50_000 + b"}", "malformed"),
    "a number beyond all floats": (b'{"payload":1e999999}', "malformed"),
    "not a number": (b'{"payload":NaN}', "malformed"),
    "six thousand keys": (
        b"{" + b",".join(b'"%d":0' % number for number in range(6_000)) + b"}",
        "malformed",
    ),
    "six thousand keys and the last one twice": (
        b"{" + b",".join(b'"%d":0' % number for number in [*range(6_000), 5_999]) + b"}",
        "malformed",
    ),
    "no UTF-8": (b'{"payload":"\xff\xfe"}', "malformed"),
    "UTF-16": ('{"payload":""}'.encode("utf-16"), "malformed"),
    "half a surrogate": (b'{"payload":"\\ud800"}', "malformed"),
    "a NUL": (b'{"payload":"\\u0000"}', "malformed"),
    "nothing": (b"", "malformed"),
}


@pytest.mark.parametrize("channel", [Channel.JOURNAL, Channel.STATUS])
def test_what_nobody_signed_is_shown_in_quarantine_and_the_next_alert_is_taken(web: Web, channel: Channel) -> None:
    stage, box = web.stage, web.stage.enrol_box()

    for what, (raw, reason) in UNPROVEN.items():
        before = stage.quarantined()
        assert stage.hear(raw, channel=channel) is Outcome.REFUSED, what
        after = stage.quarantined()
        assert {each: after[each] - before.get(each, 0) for each in after} == dict.fromkeys(after, 0) | {reason: 1}, (
            what
        )
        assert stage.hear(box.write(make_alert(incident=f"i-{len(box.records)}")).raw) is Outcome.STORED, what

    entries = stage.all(QuarantineEntry)
    assert {entry.size_bytes for entry in entries} == {len(raw) for raw, _ in UNPROVEN.values()}
    assert all(len(entry.raw) <= 4096 and len(entry.detail) <= 500 and not entry.authentic for entry in entries)
    web.sign_in("technician")
    page = web.client.get("/quarantine")
    assert page.status_code == 200
    assert all(REASONS[entry.reason] in page.text for entry in entries)


def bomb(payload: bytes) -> Callable[[Box], bytes]:
    """Signed with the box's own key: somebody has its card, or its program is broken."""
    return lambda box: dsse.seal(payload, ALERT_TYPE, box.identity.signing_key)


def event_with(**more: object) -> Callable[[Box], bytes]:
    """A record of this box whose event says something else besides."""

    def make(box: Box) -> bytes:
        event = json.loads(dsse.read_envelope(box.write(make_alert()).raw).payload)
        return dsse.seal(json.dumps(event | more).encode(), ALERT_TYPE, box.identity.signing_key)

    return make


SIGNED: dict[str, tuple[Callable[[Box], bytes], Outcome]] = {
    "nested": (bomb(b"[" * 10_000 + b"]" * 10_000), Outcome.REFUSED),
    "no JSON": (bomb(b"\xff\xfe"), Outcome.REFUSED),
    "a year without a calendar": (event_with(time="9999-12-31T23:59:59-23:59"), Outcome.REFUSED),
    "a sequence beyond all": (event_with(sequence=2**53), Outcome.REFUSED),
    "a fraction": (event_with(extra=1.5), Outcome.REFUSED),
    "data of another shape": (event_with(data={"bomb": [[[[]]]] * 1000}), Outcome.QUARANTINED),
    "too many keys": (event_with(data={str(number): 0 for number in range(3000)}), Outcome.QUARANTINED),
}


@pytest.mark.parametrize("what", SIGNED)
def test_a_bomb_that_a_known_box_signed_harms_nobody_and_is_shown_as_its_own(stage: Stage, box: Box, what: str) -> None:
    make, expected = SIGNED[what]

    outcome = stage.hear(make(box))

    assert outcome is expected
    assert (len(stage.sent) == 1) is (expected is Outcome.QUARANTINED), "a receipt for what is in the journal only"
    assert stage.count(Lead) == 0
    assert set(stage.quarantined()) == {"malformed"}
    other = Box(box.identity, "epoch-2")
    assert stage.hear(other.write(make_alert()).raw) is Outcome.STORED


@pytest.mark.parametrize("channel", [Channel.JOURNAL, Channel.STATUS])
def test_a_bomb_in_an_unknown_keys_envelope_is_never_unpacked(stage: Stage, box: Box, channel: Channel) -> None:
    raw = dsse.seal(b"[" * 10_000, ALERT_TYPE, SigningKey.generate())

    assert stage.hear(raw, channel=channel) is Outcome.REFUSED
    assert stage.quarantined() == {"unknown_key" if channel is Channel.JOURNAL else "unknown_type": 1}
    assert stage.hear(box.write(make_alert()).raw) is Outcome.STORED


def test_a_replay_from_a_year_ago_makes_nothing_new_and_is_counted(web: Web) -> None:
    stage, box = web.stage, web.stage.enrol_box()
    record = box.write(make_alert())
    stage.hear(record.raw)
    stage.clock.advance(days=365)

    assert stage.hear(record.raw) is Outcome.DUPLICATE
    assert (stage.count(Lead), stage.count(Task)) == (1, 1)
    (lead,), (device,) = stage.all(Lead), stage.all(Device)
    assert lead.opened_at == NOW
    assert device.duplicates == 1
    web.sign_in("technician")
    assert web.client.get("/api/v1/devices").json()[0]["duplicates"] == 1


def test_a_replay_from_before_the_key_was_taken_away_makes_nothing_new_either(stage: Stage, box: Box) -> None:
    record = box.write(make_alert())
    stage.hear(record.raw)
    stage.hear(box.rotate().raw)
    stage.clock.advance(days=365)

    assert stage.hear(record.raw) is Outcome.DUPLICATE
    assert (stage.count(Lead), stage.count(Task)) == (1, 1)


def test_a_journal_replayed_under_another_boxs_name_is_refused(stage: Stage, box: Box) -> None:
    stage.enrol_box("box-other")
    record = box.write(make_alert())

    assert stage.hear(record.raw, device="box-other") is Outcome.REFUSED
    assert stage.quarantined() == {"wrong_topic": 1}


def test_a_box_that_claims_another_boxs_camera_is_told_so(web: Web) -> None:
    stage = web.stage
    other = stage.enrol_box("box-other")

    assert stage.hear(other.write(make_alert(camera=GARDEN)).raw, device="box-other") is Outcome.QUARANTINED
    assert stage.quarantined() == {"camera_of_another": 1}
    assert [span.disposition for span in stage.last_receipt().spans] == ["quarantined"]
    web.sign_in("technician")
    assert REASONS["camera_of_another"] in web.client.get("/quarantine").text


def test_a_box_that_boots_in_1970_is_heard_and_its_leads_are_dated_by_arrival(stage: Stage, box: Box) -> None:
    boot = datetime(1970, 1, 1, 0, 5, tzinfo=UTC)
    alert = make_alert(observed_at=boot, opened_at=boot - timedelta(minutes=1), clock=ClockQuality.UNSYNCHRONISED)

    assert stage.hear(box.write(alert, at=boot).raw) is Outcome.STORED
    (lead,) = stage.all(Lead)
    assert abs(lead.observed_at - NOW) <= timedelta(minutes=5)
    assert lead.clock == "unsynchronised"


def test_a_stranger_in_a_known_boxs_name_is_refused_and_the_box_is_not(stage: Stage, box: Box) -> None:
    stranger = Box(identity_of(BOX, SigningKey.generate(), stage.office.keyring.signing_key.verify_key))

    assert stage.hear(stranger.write(make_clock()).raw) is Outcome.REFUSED
    assert stage.hear(box.write(make_clock()).raw) is Outcome.STORED
    assert stage.last_receipt().cumulative == 1
    assert not stage.last_receipt().is_forked


@pytest.mark.parametrize("at", [NOW - timedelta(days=365), NOW + timedelta(hours=1)])
def test_what_a_box_wrote_stays_visible_where_the_centre_puts_its_own_time(
    web: Web, web_box: Box, at: datetime
) -> None:
    web.stage.hear(web_box.write(make_alert(observed_at=at, opened_at=at), at=at).raw)
    web.stage.hear(web_box.write(make_alert(incident="i-2")).raw)
    web.sign_in()
    told = {lead["incident"]: lead for lead in web.client.get("/api/v1/leads").json()["items"]}

    assert datetime.fromisoformat(told["i-1"]["box_observed_at"]) == at
    assert datetime.fromisoformat(told["i-1"]["observed_at"]) == NOW
    assert told["i-2"]["box_observed_at"] is None
    words = f"The box wrote {at:%Y-%m-%d %H:%M:%S}"
    assert [words in web.client.get(f"/leads/{BOX}.{each}").text for each in ("i-1", "i-2")] == [True, False]
