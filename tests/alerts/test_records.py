"""The journal's records: chained, signed, read back exactly or refused by name."""

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import dsse, events, wire
from alerts.errors import MalformedMessage, UnknownKey, WrongType
from alerts.messages import Alert, Clock, ClockQuality, Coverage
from alerts.records import FIRST_PREVHASH, JOURNAL_TYPES, hash_of, read_record, write_record
from tests.alerts.parts import NOON, make_alert, make_clock, make_coverage, make_evidence, make_identity

IDENTITY = make_identity()
FIND = {IDENTITY.signing_key.key_id: IDENTITY.signing_key.verify_key}.get
PLACE: dict[str, Any] = {"identity": IDENTITY, "epoch": "e1", "at": NOON}


@pytest.mark.parametrize(
    "data", [make_alert(), make_evidence(), make_coverage(), make_clock()], ids=lambda data: data.TYPE
)
def test_a_record_reads_back_as_it_was_written(data: Alert) -> None:
    written = write_record(data, sequence=1, prevhash=FIRST_PREVHASH, **PLACE)
    assert read_record(written.raw, FIND) == written
    assert written.data == data
    assert written.sha256 == hash_of(written.raw)
    assert (written.event.source, written.event.id) == ("urn:teawatch:demo-county:box-1", "e1-1")


@given(
    st.integers(0, 2**53 - 1),
    st.datetimes(
        min_value=datetime(1970, 1, 1),  # noqa: DTZ001 - the zone is drawn beside it
        timezones=st.integers(-840, 840).map(lambda minutes: timezone(timedelta(minutes=minutes))),
    ),
    st.sampled_from(ClockQuality),
)
def test_times_of_any_zone_come_back_as_the_same_moment_in_utc(n: int, moment: datetime, quality: ClockQuality) -> None:
    data = Clock(boot="b", monotonic_ms=n, utc=moment, quality=quality)
    read = read_record(write_record(data, sequence=1, prevhash=FIRST_PREVHASH, **PLACE).raw, FIND).data
    assert isinstance(read, Clock)
    assert read == data
    assert read.utc.utcoffset().total_seconds() == 0  # type: ignore[union-attr]


def test_the_event_is_a_cloudevent_whose_type_is_the_envelopes() -> None:
    raw = write_record(make_alert(), sequence=1, prevhash=FIRST_PREVHASH, **PLACE).raw
    envelope = dsse.read_envelope(raw)
    event = json.loads(envelope.payload)
    assert envelope.payload_type == "application/vnd.teawatch.alert.v1+cloudevents+json"
    assert (event["specversion"], event["type"], event["datacontenttype"]) == (
        "1.0",
        "teawatch.alert.v1",
        "application/json",
    )


def _sealed(payload_type: str = Clock.TYPE, **changes: object) -> bytes:
    written = write_record(make_clock(), sequence=1, prevhash=FIRST_PREVHASH, **PLACE)
    fields = wire.decode_object(wire.encode(written.event)) | changes
    fields = {name: value for name, value in fields.items() if value is not None}
    return dsse.seal(wire.encode(fields), dsse.payload_type_of(payload_type), IDENTITY.signing_key)


@pytest.mark.parametrize(
    ("raw", "error", "says"),
    [
        pytest.param(_sealed(more=1), MalformedMessage, "more", id="a field nobody knows"),
        pytest.param(_sealed(sequence="1"), MalformedMessage, "sequence", id="a number as text"),
        pytest.param(_sealed(sequence=True), MalformedMessage, "sequence", id="a number as truth"),
        pytest.param(_sealed(sequence=0), MalformedMessage, "sequence", id="sequence zero"),
        pytest.param(_sealed(sequence=None), MalformedMessage, "sequence", id="no sequence"),
        pytest.param(_sealed(prevhash=None), MalformedMessage, "prevhash", id="no prevhash"),
        pytest.param(_sealed(prevhash="1" * 64), MalformedMessage, "first", id="a first record after another"),
        pytest.param(_sealed(sequence=2), MalformedMessage, "first", id="a second record after none"),
        pytest.param(_sealed(time="2026-04-05"), MalformedMessage, "time", id="a day for a time"),
        pytest.param(_sealed(time="1775390400"), MalformedMessage, "RFC 3339", id="seconds for a time"),
        pytest.param(_sealed(time="2026-04-05T12:00:00"), MalformedMessage, "time", id="a time of no zone"),
        pytest.param(_sealed(time="0001-01-01T00:00:00+10:00"), MalformedMessage, "time", id="before the calendar"),
        pytest.param(_sealed(device="../x"), MalformedMessage, "device", id="a device that is a path"),
        pytest.param(_sealed(data={"boot": "b"}), MalformedMessage, "monotonic_ms", id="data cut short"),
        pytest.param(_sealed(type="teawatch.alert.v1"), WrongType, "envelope", id="another type inside"),
        pytest.param(_sealed("teawatch.status.v1"), WrongType, "not expected", id="no journal type"),
    ],
)
def test_each_wrong_record_is_refused_by_name(raw: bytes, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        read_record(raw, FIND)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"until_at": "2026-04-05T12:00:01Z"}, "do not fill"),
        ({"from_at": "2026-04-05T12:15:00Z"}, "do not fill"),
        ({"stretches": []}, "stretches"),
        ({"stretches": [{"length_ms": 900_000, "hindrance": "bored"}]}, "hindrance"),
        ({"stretches": [{"length_ms": 0}, {"length_ms": 900_000}]}, "length_ms"),
        ({"stretches": [{"length_ms": -1}, {"length_ms": 900_001}]}, "length_ms"),
        ({"stretches": [{"length_ms": 2**53 - 1}] * 64}, "length_ms"),
        ({"stretches": [{"length_ms": 1}] * 65}, "stretches"),
    ],
)
def test_coverage_that_does_not_add_up_is_refused(changes: dict[str, object], says: str) -> None:
    data = events.to_data(make_coverage())
    assert events.read_message(Coverage, json.dumps(data).encode()) == make_coverage()
    with pytest.raises(MalformedMessage, match=says):
        events.read_message(Coverage, json.dumps(data | changes).encode())


def test_duplicate_keys_inside_the_signed_payload_are_refused() -> None:
    payload = wire.encode(write_record(make_clock(), sequence=1, prevhash=FIRST_PREVHASH, **PLACE).event)
    doubled = payload[:-1] + b',"device":"box-2"}'
    with pytest.raises(MalformedMessage, match="twice"):
        read_record(dsse.seal(doubled, dsse.payload_type_of(Clock.TYPE), IDENTITY.signing_key), FIND)


def test_a_record_of_a_key_nobody_knows_is_refused() -> None:
    raw = write_record(make_clock(), sequence=1, prevhash=FIRST_PREVHASH, **PLACE).raw
    with pytest.raises(UnknownKey):
        read_record(raw, lambda _: None)


def test_every_journal_type_is_named_as_its_class_says() -> None:
    assert all(name == kind.TYPE for name, kind in JOURNAL_TYPES.items())
