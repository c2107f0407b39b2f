"""Incidents: violations of the same thing folded into one, opened, updated, closed.

A parked van is one incident, not a thousand alerts. `fold` is pure: open incidents and this picture's violations in,
changes out. What must reach the disk, and with which message, is `edge/recorder.py`'s business.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from alerts.clocks import is_credible
from alerts.messages import Phase
from edge.boxes import Box, overlap
from edge.rules.base import Violation

SAME_PLACE_OVERLAP = 0.3
"""The rules freeze a place, so that the same one overlaps wholly; other vehicles nearby do not."""

UPDATE_EVERY_S = 2.0
"""More people inside, or seen again after a gap: said at most this often."""

RELABEL_EVERY_S = 10.0
HEARTBEAT_S = 600.0
"""An incident that goes on is said to go on this often."""

NOTE_EVERY_S = 10.0
"""What was last seen reaches the disk this often without a message: a restart then knows how long nobody looked."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What an incident belongs to; another configuration of the same camera keeps what it still names."""

    camera: str
    rule: str
    zone: str
    kind: str


@dataclass(frozen=True, slots=True)
class Moment:
    """One look of a camera: watched time, the seconds before it that were not watched, wall clock, stream time."""

    watched_s: float
    gap_s: float
    utc: datetime
    stream_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the last message said; revision 0: nothing was said yet."""

    revision: int = 0
    count: int = 0
    class_name: str = ""
    unobserved_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One thing that is wrong, from the first message until it is gone.

    `last` is the newest sighting, `last_stream_s` its frame. `unobserved_s` adds up the time in which nobody looked;
    across a restart it counts from the last note on the disk, so it is up to `NOTE_EVERY_S`, or the time
    between two looks, too long, never too short, unless the clock was not set before the restart or is not yet set
    after it: how long the box was off is then not known and nothing is added.
    The `…_watched_s` are good within one run only.
    """

    id: str
    key: Key
    place: Box | None
    opened_at: datetime
    last_seen_at: datetime
    last_stream_s: float
    last: Violation
    frame_px: tuple[int, int]
    unobserved_s: float = 0.0
    told: Told = Told()
    resumed: bool = False
    seen_watched_s: float = 0.0
    told_watched_s: float | None = None
    noted_watched_s: float = 0.0

    def carried_over(self) -> "Incident":
        """As a new run takes it up: watched time starts again, and the gap since the last note is still to be added."""
        return replace(self, resumed=True, seen_watched_s=0.0, told_watched_s=None, noted_watched_s=0.0)


@dataclass(frozen=True, slots=True)
class Change:
    """What became of an incident in this picture.

    With a phase it must be told, without one it is only remembered; `is_note` asks for the disk all the same.
    `unseen_s` is set where it closes. `is_lost` marks one that ended before it could be told at all.
    """

    incident: Incident
    phase: Phase | None = None
    is_note: bool = False
    unseen_s: float = 0.0
    is_lost: bool = False


def fold(
    incidents: Sequence[Incident],
    violations: Sequence[Violation],
    moment: Moment,
    *,
    key: Key,
    frame_px: tuple[int, int],
    close_after_s: float,
    new_id: Callable[[], str],
) -> tuple[Change, ...]:
    """What one picture changes for one rule of one camera: one change for each incident, old and new.

    `incidents` are the open ones of `key`.
    """
    aged = [_age(each, moment) for each in incidents]
    free = list(violations)
    changes = []
    for incident in sorted(aged, key=lambda each: each.opened_at):
        match = _best(incident, free)
        if match is not None:
            free.remove(match)
        if match is None or match.unseen_s is not None:
            changes.append(_unseen(_believed(incident, match, moment), moment, close_after_s))
        else:
            changes.append(_seen(incident, match, moment, frame_px))
    for violation in (each for each in free if each.unseen_s is None):
        opened = Incident(
            id=new_id(),
            key=key,
            place=violation.place,
            opened_at=moment.utc,
            last_seen_at=moment.utc,
            last_stream_s=moment.stream_s,
            last=violation,
            frame_px=frame_px,
        )
        changes.append(_seen(opened, violation, moment, frame_px))
    return tuple(changes)


def told(change: Change, moment: Moment) -> Incident:
    """The incident once the message of this change is safely in the outbox."""
    incident = change.incident
    return replace(
        incident,
        told=Told(
            revision=incident.told.revision + 1,
            count=max(incident.told.count, len(incident.last.objects)),
            class_name=incident.last.objects[0].class_name,
            unobserved_s=incident.unobserved_s,
        ),
        told_watched_s=moment.watched_s,
        noted_watched_s=moment.watched_s,
    )


def _age(incident: Incident, moment: Moment) -> Incident:
    """Add what was not observed: a gap in the stream, or the time the box was off."""
    if incident.resumed:
        return replace(incident, unobserved_s=incident.unobserved_s + _off_s(incident, moment), resumed=False)
    if moment.gap_s > 0:
        return replace(incident, unobserved_s=incident.unobserved_s + moment.gap_s)
    return incident


def _off_s(incident: Incident, moment: Moment) -> float:
    """How long the box was off, by its clock; 0 where that was not set: 1970 until now is no time of anything."""
    if not (is_credible(incident.last_seen_at) and is_credible(moment.utc)):
        return 0.0
    return max(0.0, (moment.utc - incident.last_seen_at).total_seconds())


def _best(incident: Incident, violations: Sequence[Violation]) -> Violation | None:
    """The violation at the incident's place."""
    if incident.place is None:
        return next((each for each in violations if each.place is None), None)
    fits = [(overlap(incident.place, each.place), each) for each in violations if each.place is not None]
    fit, best = max(fits, key=lambda pair: pair[0], default=(0.0, None))
    return best if fit >= SAME_PLACE_OVERLAP else None


def _seen(incident: Incident, violation: Violation, moment: Moment, frame_px: tuple[int, int]) -> Change:
    incident = replace(
        incident,
        last=violation,
        last_seen_at=moment.utc,
        last_stream_s=moment.stream_s,
        frame_px=frame_px,
        seen_watched_s=moment.watched_s,
    )
    if incident.told.revision == 0:
        return Change(incident, Phase.OPENED)
    if _is_news(incident, moment):
        return Change(incident, Phase.UPDATED)
    return Change(incident, is_note=moment.watched_s - incident.noted_watched_s >= NOTE_EVERY_S)


def _is_news(incident: Incident, moment: Moment) -> bool:
    """Whether there is something of substance to say and the last message is old enough; after a restart there is."""
    if incident.told_watched_s is None:
        return True
    since_s = moment.watched_s - incident.told_watched_s
    more = len(incident.last.objects) > incident.told.count
    gap = incident.unobserved_s > incident.told.unobserved_s
    renamed = incident.place is not None and incident.last.objects[0].class_name != incident.told.class_name
    return (
        ((more or gap) and since_s >= UPDATE_EVERY_S) or (renamed and since_s >= RELABEL_EVERY_S)
    ) or since_s >= HEARTBEAT_S


def _believed(incident: Incident, violation: Violation | None, moment: Moment) -> Incident:
    """What was hidden, or slept beside a camera that vouches for it, is unseen for only as long as its rule says."""
    if violation is None or violation.unseen_s is None:
        return incident
    return replace(incident, seen_watched_s=moment.watched_s - violation.unseen_s)


def _unseen(incident: Incident, moment: Moment, close_after_s: float) -> Change:
    unseen_s = moment.watched_s - incident.seen_watched_s
    if unseen_s < close_after_s:
        return Change(incident)
    if incident.told.revision == 0:
        return Change(incident, is_lost=True)
    return Change(incident, Phase.CLOSED, unseen_s=unseen_s)
