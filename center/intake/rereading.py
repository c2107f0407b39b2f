"""What a stored record says, read again from the bytes that were kept."""

from typing import Final

from alerts import dsse, events, records, wire
from alerts.errors import MessageError
from alerts.messages import Alert, Event, Evidence
from alerts.records import JournalData
from center.intake.journal import JournalRow

ESCAPE: Final = b"\\"
"""Where it stands in JSON, a name may be spelt in another way."""


def read_again(row: JournalRow) -> JournalData | None:
    """What it says; its signature was checked when it came. None for what this version cannot read."""
    try:
        return events.read_message(records.JOURNAL_TYPES[row.type], wire.encode(event_of(row).data))
    except (KeyError, MessageError):
        return None


def event_of(row: JournalRow) -> Event:
    """The record's envelope: who says when that this happened. Raises the classes under MessageError."""
    return events.read_message(Event, dsse.read_envelope(row.raw).payload)


def read_of(row: JournalRow, incident: str) -> Alert | Evidence | None:
    """What it says of this incident: an alert, or the announcement of files; None where it tells of something else.

    A record that does not even spell the incident's name is not read.
    """
    payload = dsse.read_envelope(row.raw).payload
    if incident.encode() not in payload and ESCAPE not in payload:
        return None
    match read_again(row):
        case Alert(incident=told) | Evidence(incident=told) as said if told == incident:
            return said
        case _:
            return None


def incident_of(row: JournalRow) -> str:
    """The incident that a record of an alert or of its files is about; empty for any other."""
    match read_again(row):
        case Alert(incident=incident) | Evidence(incident=incident):
            return incident
        case _:
            return ""
