"""Times that cannot be are found, and times that a box never claimed to know are not held against it."""

from datetime import datetime, timedelta

import pytest

from alerts.bundles.journals import BundledRecord
from alerts.bundles.seal import BundleSeal, IncidentEnd
from alerts.bundles.times import check_times
from alerts.bundles.trust import CentreKey, DeviceKey, Trust
from alerts.keys import SigningKey
from alerts.messages import Alert, ClockQuality, Evidence, Packets, Phase
from alerts.records import FIRST_PREVHASH, JournalData, write_record
from tests.alerts.parts import CENTRE_KEY, NOON, TENANT, make_alert, make_artefact, make_identity

IDENTITY = make_identity(signing_key=SigningKey.generate())
MINUTE = timedelta(minutes=1)


def key(text: SigningKey) -> dict[str, str]:
    return {"key_id": text.key_id, "key": text.verify_key.to_text()}


TRUST = Trust(
    tenant=TENANT,
    written_at=NOON,
    centre_keys=(CentreKey(**key(CENTRE_KEY)),),
    device_keys=(DeviceKey(**key(IDENTITY.signing_key), device="box-1", enrolled_at=NOON - 60 * MINUTE),),
)
END = IncidentEnd(
    device="box-1",
    incident="i-1",
    revision=1,
    phase=Phase.OPENED,
    epoch="e",
    sequence=1,
    record_sha256="a" * 64,
)
SEAL = BundleSeal(case="box-1.i-1", members=(), ends=(END,), records=())


def bundled(data: JournalData, *, at: datetime = NOON, received_at: datetime | None = None) -> BundledRecord:
    record = write_record(data, identity=IDENTITY, epoch="e", sequence=1, prevhash=FIRST_PREVHASH, at=at)
    received_at = received_at or at + MINUTE
    return BundledRecord("r", record.event, data, record.sha256, record.key_id, 1, FIRST_PREVHASH, received_at)


def alert(**more: object) -> Alert:
    return make_alert().model_copy(update=more)


def clip(first_at: datetime, last_at: datetime) -> Evidence:
    packets = Packets(first=1, last=9, take=0, first_ms=0, last_ms=9, first_at=first_at, last_at=last_at, codec="h264")
    artefact = make_artefact().model_copy(update={"role": "clip", "packets": packets})
    return Evidence(incident="i-1", camera="cam-1", artefacts=(artefact,))


def codes(*records: BundledRecord, sealed_at: datetime = NOON + 60 * MINUTE) -> list[str]:
    return [finding.code for finding in check_times(records, SEAL, TRUST, sealed_at=sealed_at)]


@pytest.mark.parametrize(
    ("records", "found"),
    [
        ((bundled(alert()),), []),
        ((bundled(alert(), at=NOON - 120 * MINUTE),), ["before_enrolment", "seen_after_made"]),
        ((bundled(alert(), at=NOON - 4 * MINUTE),), []),
        ((bundled(alert(), received_at=NOON - 20 * MINUTE),), ["after_receipt"]),
        ((bundled(alert(observed_at=NOON + 30 * MINUTE)),), ["seen_after_made"]),
        ((bundled(alert(), received_at=NOON + 90 * MINUTE),), ["received_after_seal"]),
        ((bundled(alert()), bundled(clip(NOON - MINUTE, NOON + MINUTE))), []),
        ((bundled(alert()), bundled(clip(NOON + 20 * MINUTE, NOON + 21 * MINUTE))), ["shows_elsewhere"]),
        ((bundled(alert()), bundled(clip(NOON - 30 * MINUTE, NOON - 20 * MINUTE))), ["shows_elsewhere"]),
        ((bundled(alert(clock=ClockQuality.UNKNOWN)),), ["clock_unknown"]),
        (
            (
                bundled(alert(clock=ClockQuality.UNSYNCHRONISED), at=NOON - 20_000_000 * MINUTE, received_at=NOON),
                bundled(clip(NOON - 30 * MINUTE, NOON - 20 * MINUTE), at=NOON - 20_000_000 * MINUTE, received_at=NOON),
            ),
            ["clock_not_set"],
        ),
    ],
)
def test_what_cannot_be_is_found(records: tuple[BundledRecord, ...], found: list[str]) -> None:
    assert codes(*records) == found


def test_what_the_seal_calls_impossible_counts_from_its_receipt_and_nothing_else_does() -> None:
    late, early = bundled(alert(), received_at=NOON - 20 * MINUTE), bundled(alert(), at=NOON - 120 * MINUTE)
    told = SEAL.model_copy(update={"odd_times": (late.sha256,)})

    found = check_times((late, early), told, TRUST, sealed_at=NOON + 60 * MINUTE)

    assert [finding.code for finding in found if finding.fault] == ["before_enrolment", "seen_after_made"]
    (remark,) = (finding for finding in found if not finding.fault)
    assert (remark.code, remark.values["limit"]) == ("odd_time_told", late.received_at.isoformat())
