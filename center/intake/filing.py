"""A batch of messages, inside one transaction: de-duplicate, make rows, keep the bytes, write the receipts.

All of it is committed or none of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

import structlog
from sqlalchemy.orm import Session

from alerts import dsse
from alerts.control_messages import Disposition, Status
from alerts.downlinks import write_downlink
from alerts.events import Sealed
from alerts.keys import SigningKey, VerifyKey
from alerts.messages import KeyRotation
from alerts.receipts import next_counter
from alerts.subscriber import Incoming
from alerts.topics import Channel, Topic
from center.boxes.bootclocks import note_status_clock
from center.boxes.devices import Device, Signer, find_signers, hold_devices
from center.boxes.presence import note_status
from center.feed.hub import announce
from center.intake.digesting import digest
from center.intake.quarantine import Limits, Refusal, put_aside, waiting_for_key
from center.intake.reading import Entry, Reading, read, standing_of
from center.intake.redating import redate_leads
from center.intake.volumes import Volume, open_volumes, place_of, write_rows
from center.log.entries import enter_records

log = structlog.get_logger()


class Outcome(StrEnum):
    """What became of a message."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"  # authentic, put aside, with a receipt that says so
    REFUSED = "refused"  # not authentic, put aside, without a receipt
    NOTED = "noted"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class FilingRules:
    """Whose centre this is, which key signs its receipts and for how long, and what is too much."""

    tenant: str
    key: SigningKey
    receipt_lifetime: timedelta
    max_message_bytes: int
    limits: Limits


@dataclass(frozen=True, slots=True)
class Filed:
    """What became of each message of a batch, and the receipts to send after the commit."""

    outcomes: tuple[Outcome, ...]
    receipts: tuple[tuple[Topic, bytes], ...]


def file_readings(session: Session, rules: FilingRules, readings: Sequence[Reading], at: datetime) -> Filed:
    """Take in a batch. Never raises for what a lone message may say, only for what the database refuses.

    Raises whatever one of several records brings about: then each part of the batch is to be tried by itself.
    """
    return _Batch(session, rules, readings, at).file()


@dataclass(slots=True)
class _Batch:
    """The filing of one batch, step by step."""

    session: Session
    rules: FilingRules
    readings: Sequence[Reading]
    at: datetime
    devices: dict[str, Device] = field(default_factory=dict)
    signers: dict[str, Signer] = field(default_factory=dict)
    outcomes: dict[int, Outcome] = field(default_factory=dict)

    def file(self) -> Filed:
        tenant = self.rules.tenant
        self.session.flush()  # what came before in this transaction is to be seen
        said = [reading.said for reading in self.readings]
        key_ids = {each.key_id for each in said if isinstance(each, Entry | Sealed)}
        self.devices = hold_devices(self.session, tenant, {reading.message.topic.device for reading in self.readings})
        self.signers = find_signers(self.session, tenant, key_ids)
        entries: dict[int, Entry] = {}
        for number, reading in enumerate(self.readings):
            refusal = reading.said if isinstance(reading.said, Refusal) else standing_of(reading, self.signers)
            match reading.said:
                case _ if refusal is not None:
                    self._put_aside(refusal, reading, authentic=False)
                    self.outcomes[number] = Outcome.REFUSED
                case Entry() as entry:
                    entries[number] = entry
                case Sealed(data=Status()) as status:
                    self._note(status)
                    self.outcomes[number] = Outcome.NOTED
                case _:
                    self.outcomes[number] = Outcome.IGNORED
        receipts = self._file_entries(entries)
        return Filed(tuple(self.outcomes[number] for number in range(len(self.readings))), receipts)

    def _note(self, sealed: Sealed[Status]) -> None:
        device, status = self.devices[sealed.event.device], sealed.data
        if not note_status(self.session, device, status, self.at):
            return
        announce(self.session, "device", device.id)
        own = {"tenant": device.tenant, "device": device.id}
        if status.online and note_status_clock(self.session, **own, status=status, at=self.at) and status.clock:
            redate_leads(self.session, **own, boot=status.clock.boot, at=self.at)

    def _file_entries(self, entries: dict[int, Entry]) -> tuple[tuple[Topic, bytes], ...]:
        """Every authentic record gets a receipt, a repeated one too: the box may have lost the first."""
        volumes = open_volumes(self.session, self.rules.tenant, entries.values(), self.at)
        new: dict[int, Entry] = {}
        seen: set[str] = set()
        again: list[tuple[int, Entry]] = []
        for number, entry in entries.items():
            device = self.devices[entry.event.device]
            if entry.sha256 in seen or volumes[place_of(entry)].answer(entry):
                device.duplicates += 1
                again.append((number, entry))
            else:
                seen.add(entry.sha256)
                new[number] = entry
        self.outcomes |= dict.fromkeys((number for number, _ in again), Outcome.DUPLICATE)
        self._store(new, volumes)
        for name in {entry.event.device for entry in new.values()}:
            self.devices[name].last_seen_at = self.at
        receipts = [receipt for volume in volumes.values() for receipt in self._receipts(volume)]
        for number, entry in new.items():
            if isinstance(entry.data, KeyRotation) and self.outcomes[number] is Outcome.STORED:
                receipts += self._take_in_waiting(entry.data, entry.event.device)
        return tuple(receipts)

    def _take_in_waiting(self, rotation: KeyRotation, device: str) -> list[tuple[Topic, bytes]]:
        """What the new key signed may have come before the rotation that names it: now it can be verified."""
        key, journal = VerifyKey.from_text(rotation.key), Topic(self.rules.tenant, device, Channel.JOURNAL)
        receipts: list[tuple[Topic, bytes]] = []
        for waiting in waiting_for_key(self.session, self.rules.tenant, device):
            if dsse.read_envelope(waiting.raw).key_id != key.key_id:
                continue
            waiting.settled_at = self.at
            if waiting.topic == journal.text:
                reading = read(
                    Incoming(journal, waiting.raw),
                    {key.key_id: key}.get,
                    tenant=self.rules.tenant,
                    max_bytes=self.rules.max_message_bytes,
                )
                receipts.extend(file_readings(self.session, self.rules, [reading], self.at).receipts)
            announce(self.session, "quarantine", waiting.id)
            log.info("waiting_record_taken_in", device=device, sha256=waiting.sha256)
        announce(self.session, "device", device)
        return receipts

    def _store(self, entries: dict[int, Entry], volumes: dict[tuple[str, str], Volume]) -> None:
        is_alone = len(self.readings) == 1
        refusals = digest(self.session, tuple(entries.values()), self.signers, self.at, is_alone=is_alone)
        rows: list[tuple[Entry, Disposition, bool]] = []
        for (number, entry), refusal in zip(entries.items(), refusals, strict=True):
            disposition = Disposition.STORED if refusal is None else Disposition.QUARANTINED
            is_fork = volumes[place_of(entry)].add(entry, disposition)
            rows.append((entry, disposition, is_fork))
            if is_fork:
                log.warning(
                    "journal_forked", device=entry.event.device, epoch=entry.event.epoch, sequence=entry.sequence
                )
            if is_fork or entry.sequence == 1:
                announce(self.session, "device", entry.event.device)
            if refusal is not None:
                self._put_aside(refusal, self.readings[number], authentic=True)
            self.outcomes[number] = Outcome.STORED if refusal is None else Outcome.QUARANTINED
        for place in {place_of(entry) for entry, _, _ in rows}:
            volumes[place].close(self.at)
        write_rows(self.session, rows, self.at)
        stored = [(entry.event.device, entry.sha256, disposition) for entry, disposition, _ in rows]
        enter_records(self.session, tenant=self.rules.tenant, records=stored, at=self.at)

    def _put_aside(self, refusal: Refusal, reading: Reading, *, authentic: bool) -> None:
        topic, raw = reading.message
        entry = put_aside(
            self.session,
            refusal,
            tenant=self.rules.tenant,
            topic=topic.text,
            device=topic.device,
            raw=raw,
            authentic=authentic,
            limits=self.rules.limits,
            at=self.at,
        )
        announce(self.session, "quarantine", entry.id)
        log.warning("message_put_aside", reason=refusal.reason.value, device=topic.device, authentic=authentic)

    def _receipts(self, volume: Volume) -> list[tuple[Topic, bytes]]:
        device = self.devices[volume.row.device]
        sealed = []
        for receipt in volume.receipts():
            device.receipt_counter = next_counter(device.receipt_counter, self.at)
            raw = write_downlink(
                receipt,
                key=self.rules.key,
                tenant=self.rules.tenant,
                device=device.id,
                epoch=volume.row.epoch,
                counter=device.receipt_counter,
                at=self.at,
                lifetime=self.rules.receipt_lifetime,
            )
            sealed.append((Topic(self.rules.tenant, device.id, Channel.RECEIPTS), raw))
        return sealed
