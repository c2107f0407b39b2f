"""What the box follows: signed by its centre, for it, for this outbox, newer than the last, in time."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alerts import events
from alerts.control_messages import Receipt, Status
from alerts.downlinks import admit, write_downlink
from alerts.errors import (
    BadSignature,
    Expired,
    MalformedMessage,
    StaleCounter,
    UnknownKey,
    WrongAddressee,
    WrongType,
)
from alerts.events import Sealed
from alerts.keys import SigningKey
from alerts.messages import ClockQuality, Event
from alerts.outbox import Outbox
from alerts.status import write_status
from tests.alerts.parts import CENTRE_KEY, LIFETIME, NOON, TENANT, make_identity

IDENTITY = make_identity()


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox.open(tmp_path / "outbox.db", identity=IDENTITY) as opened:
        yield opened


def receipt(outbox: Outbox, **changes: Any) -> bytes:
    place: dict[str, Any] = {
        "key": CENTRE_KEY,
        "tenant": TENANT,
        "device": IDENTITY.device,
        "epoch": outbox.epoch,
        "counter": 5,
        "at": NOON,
        "lifetime": LIFETIME,
    }
    return write_downlink(Receipt(cumulative=1, sha256="a" * 64), **place | changes)


def try_admit(
    outbox: Outbox, raw: bytes, *, days: int = 0, clock: ClockQuality = ClockQuality.SYNCHRONISED
) -> Sealed[Receipt] | None:
    with outbox.transaction() as transaction:
        return admit(
            raw,
            {Receipt.TYPE: Receipt},
            transaction,
            identity=IDENTITY,
            now=NOON + timedelta(days=days),
            clock=clock,
        )


def test_a_receipt_for_this_box_is_admitted(outbox: Outbox) -> None:
    sealed = try_admit(outbox, receipt(outbox))
    assert sealed is not None
    assert sealed.data == Receipt(cumulative=1, sha256="a" * 64)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"key": SigningKey.generate()}, UnknownKey),
        ({"key": IDENTITY.signing_key}, UnknownKey),
        ({"tenant": "elsewhere"}, WrongAddressee),
        ({"device": "box-2"}, WrongAddressee),
        ({"epoch": "another"}, WrongAddressee),
    ],
)
def test_what_is_not_from_the_centre_to_this_box_is_refused(
    outbox: Outbox, changes: dict[str, object], error: type[Exception]
) -> None:
    raw = receipt(outbox, **changes)
    with pytest.raises(error):
        try_admit(outbox, raw)


def test_a_changed_receipt_is_refused(outbox: Outbox) -> None:
    raw = bytearray(receipt(outbox))
    raw[30] = ord("B") if raw[30] != ord("B") else ord("C")
    with pytest.raises(BadSignature):
        try_admit(outbox, bytes(raw))


def test_a_message_of_another_type_is_refused_although_the_centre_signed_it(outbox: Outbox) -> None:
    status = Status(
        online=True,
        epoch=outbox.epoch,
        connection=1,
        number=1,
        pending_records=0,
        pending_uploads=0,
        rejected_downlinks=0,
    )
    raw = write_status(status, identity=make_identity(signing_key=CENTRE_KEY), at=NOON)
    with pytest.raises(WrongType):
        try_admit(outbox, raw)


def test_the_counter_must_grow_also_across_a_restart(tmp_path: Path, outbox: Outbox) -> None:
    old, new = receipt(outbox, counter=5), receipt(outbox, counter=9)
    assert try_admit(outbox, new) is not None
    outbox.close()
    with Outbox.open(tmp_path / "outbox.db", identity=IDENTITY) as again:
        with pytest.raises(StaleCounter):
            try_admit(again, old)
        with pytest.raises(StaleCounter):
            try_admit(again, receipt(again, counter=9, at=NOON + timedelta(seconds=1)))
        assert try_admit(again, receipt(again, counter=10)) is not None


def test_the_same_receipt_again_is_no_news_and_no_offence(outbox: Outbox) -> None:
    raw = receipt(outbox)
    assert try_admit(outbox, raw) is not None
    assert try_admit(outbox, raw) is None


@pytest.mark.parametrize(
    ("days", "clock", "admitted"),
    [
        (8, ClockQuality.SYNCHRONISED, False),
        (8, ClockQuality.UNSYNCHRONISED, True),
        (8, ClockQuality.UNKNOWN, True),
        (-9000, ClockQuality.UNSYNCHRONISED, True),
        (6, ClockQuality.SYNCHRONISED, True),
    ],
)
def test_an_expiry_is_judged_only_by_a_clock_that_can_be_trusted(
    outbox: Outbox, days: int, clock: ClockQuality, admitted: bool
) -> None:
    raw = receipt(outbox)
    if admitted:
        assert try_admit(outbox, raw, days=days, clock=clock) is not None
        return
    with pytest.raises(Expired, match="2026-04-12"):
        try_admit(outbox, raw, days=days, clock=clock)
    assert try_admit(outbox, raw, clock=ClockQuality.UNKNOWN) is not None


def test_a_message_without_counter_or_expiry_is_refused(outbox: Outbox) -> None:
    event = Event(
        id="x",
        source="urn:x",
        type=Receipt.TYPE,
        time=NOON,
        tenant=TENANT,
        device=IDENTITY.device,
        epoch=outbox.epoch,
        data={"cumulative": 1, "sha256": "a" * 64},
    )
    with pytest.raises(MalformedMessage, match="counter"):
        try_admit(outbox, events.seal_event(event, CENTRE_KEY))
