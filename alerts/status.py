"""Whether a box is on line: signed, retained by the broker, not part of the journal's chain."""

from datetime import datetime

from alerts import events
from alerts.control_messages import Status
from alerts.events import Sealed
from alerts.identity import Identity
from alerts.keys import KeyFinder
from alerts.messages import Event


def write_status(status: Status, *, identity: Identity, at: datetime) -> bytes:
    """Seal a status; the last will is one with `online=False`, sealed before connecting."""
    event = Event(
        id=f"{status.epoch}-status-{int(at.timestamp() * 1000)}",
        source=identity.source,
        type=Status.TYPE,
        time=at,
        tenant=identity.tenant,
        device=identity.device,
        epoch=status.epoch,
        data=events.to_data(status),
    )
    return events.seal_event(event, identity.signing_key)


def read_status(raw: bytes, find_key: KeyFinder) -> Sealed[Status]:
    """Verify and read a status; raises the classes under MessageError. Whose key it was is for the caller to check."""
    return events.open_event(raw, {Status.TYPE: Status}, find_key)
