"""Finished clips go to the disk and into the outbox: cut, stored, announced and queued, each exactly once."""

import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from alerts.blobs import BlobStore
from alerts.clocks import clock_state
from alerts.errors import AlertsError
from alerts.messages import Artefact, Evidence, Shortfall
from alerts.outbox import Outbox
from alerts.records import Record
from edge.announcements import Tell
from edge.clips import Ending, Taken
from edge.losses import Losses
from edge.reporting import packets_of_clip
from edge.room import Room
from streams.clips import Clip, cut
from streams.errors import NotCuttable

CLIPS = "clips"
"""Who asks for room."""

MOST_AT_ONCE = 8
"""So many clips are sealed before whoever seals them comes to do something else."""

MOST_WAITING_BYTES = 128 * 1024 * 1024
"""Of clips that wait in memory for room on the disk; beyond it the oldest is given up and owned up to."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A clip with what is said of it; the packets themselves are let go."""

    incidents: tuple[str, ...]
    camera: str
    ending: Ending
    before_s: float
    clip: Clip


class ClipSealer:
    """Used by one thread, which may be another than the one that takes clips."""

    def __init__(
        self, outbox: Outbox, blobs: BlobStore, *, room: Room, tell: Tell, now: Callable[[], datetime]
    ) -> None:
        """`room` is shared with whoever else writes; `now` gives aware UTC."""
        self._outbox = outbox
        self._blobs = blobs
        self._room = room
        self._tell = tell
        self._now = now
        self._waiting: deque[_Waiting] = deque()
        self._lost: Losses | None = None

    @property
    def is_behind(self) -> bool:
        """Whether clips wait for room on the disk, or some that were lost are still to be owned up to."""
        return bool(self._waiting or self._lost)

    def seal(self, taken: Iterable[Taken], now_s: float) -> bool:
        """Cut these and seal a few, with what waits since the disk was full; whether more can be sealed now.

        What cannot be cut is said and given up. While the disk is full they wait, and it is tried again every few
        seconds (`now_s` on the monotonic clock) that this is called, with nothing new too.
        """
        for each in taken:
            try:
                self._waiting.append(_made(each))
            except NotCuttable as error:
                self._tell("trouble", what=f"clip of camera {each.camera}", reason=str(error))
        self._forget_oldest()
        if not self.is_behind or self._room.is_resting(CLIPS, now_s):
            return False
        try:
            self._seal_some()
        except (AlertsError, OSError, sqlite3.Error) as error:
            self._room.lacks(CLIPS, error, now_s)
            return False
        self._room.suffices(CLIPS)
        return self.is_behind

    def _seal_some(self) -> None:
        if self._lost:
            with self._outbox.transaction() as transaction:
                transaction.append(self._lost.owned_up(), at=self._now())
            self._lost = None
        for _ in range(min(MOST_AT_ONCE, len(self._waiting))):
            waiting = self._waiting[0]
            records = seal_clip(
                self._outbox,
                self._blobs,
                waiting.clip,
                waiting.incidents,
                waiting.camera,
                ending=waiting.ending,
                at=self._now(),
            )
            self._waiting.popleft()
            for incident, record in zip(waiting.incidents, records, strict=True):
                self._say_queued(incident, waiting, record)

    def _forget_oldest(self) -> None:
        while len(self._waiting) > 1 and sum(len(each.clip.data) for each in self._waiting) > MOST_WAITING_BYTES:
            oldest = self._waiting.popleft()
            self._lost = Losses(len(oldest.incidents), oldest.clip.utc, oldest.clip.utc).after(self._lost)

    def _say_queued(self, incident: str, waiting: _Waiting, record: Record) -> None:
        clip = waiting.clip
        self._tell(
            "clip_queued",
            incident=incident,
            camera=waiting.camera,
            sequence=record.sequence,
            size_bytes=len(clip.data),
            seconds=round(clip.seconds, 3),
            before_s=round(waiting.before_s, 3),
            ending=waiting.ending.value,
            left_out=clip.left_out,
        )


def seal_clip(
    outbox: Outbox,
    blobs: BlobStore,
    clip: Clip,
    incidents: Iterable[str],
    camera: str,
    *,
    ending: Ending,
    at: datetime,
) -> tuple[Record, ...]:
    """Store the clip, then announce it for each incident and queue its upload, all together or not at all.

    `at` is aware UTC. Raises BlobStoreFull, OutboxFull.
    """
    sha256, size_bytes = blobs.put(clip.data), len(clip.data)
    artefact = Artefact(
        sha256=sha256,
        size_bytes=size_bytes,
        media_type=clip.media_type,
        role="clip",
        packets=packets_of_clip(clip),
        falls_short=_shortfalls(clip, ending),
    )
    state = clock_state(at, time.monotonic())
    records = []
    with outbox.transaction() as transaction:
        for incident in incidents:
            message = Evidence(incident=incident, camera=camera, artefacts=(artefact,), clock_state=state)
            records.append(transaction.append(message, at=at))
            transaction.queue_upload(sha256, size_bytes=size_bytes, role=artefact.role, incident=incident)
    return tuple(records)


def _shortfalls(clip: Clip, ending: Ending) -> tuple[Shortfall, ...]:
    """Why the clip shows less than it was to: what broke the stream around it, and what ended it early."""
    early = () if ending in {Ending.COMPLETE, Ending.CLOSED} else (ending,)
    raw = (Shortfall.RAW,) if clip.encoder else ()
    return tuple(dict.fromkeys((*(Shortfall(why.value) for why in (*clip.broken_by, *early)), *raw)))


def _made(taken: Taken) -> _Waiting:
    clip = cut(taken.packets, around=taken.around)
    event_s = next((each.stream_s for each in taken.packets if each.index == taken.around), clip.begins_s)
    return _Waiting(taken.incidents, taken.camera, taken.ending, event_s - clip.begins_s, clip)
