"""Where incidents meet the disk: state, message and upload of a change are committed together or not at all.

While the disk is full the box goes on watching: it says so once, tries again every few seconds, and an incident that
still lasts when there is room is told then. One that ended meanwhile is owned up to in a `dropped` record as soon as
there is room, whether or not anything happens then.

What must be quick is told apart from what takes long: `record` commits the alert with its picture, `annotate` makes the
copies with what was found drawn in, later, without holding anybody up. What is due of them is on the disk.
"""

import secrets
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from alerts.blobs import BlobStore
from alerts.clocks import clock_quality, clock_state
from alerts.errors import AlertsError, BlobStoreFull, OutboxFull
from alerts.messages import Alert, Artefact, Phase
from alerts.outbox import Outbox
from alerts.records import Record
from alerts.transactions import Transaction
from edge.annotator import Annotator
from edge.announcements import Tell
from edge.credentials import Credentials, Signed
from edge.evidence import seal_picture
from edge.incident_store import IncidentStore
from edge.incidents import Change, Incident, Key, fold, told
from edge.losses import Losses
from edge.reporting import Witness, annotation_of, packets_of_frame, picture_artefact, write_alert, write_orphan
from edge.room import Room
from edge.watch import Look, Post

ALERTS, COPIES = "alerts", "copies"
"""Who asks for room."""


def new_incident_id() -> str:
    """A name no other incident has, on whatever box."""
    return f"i-{secrets.token_hex(8)}"


@dataclass(frozen=True, slots=True)
class Telling:
    """That an incident reached this phase is safely in the outbox."""

    incident: str
    phase: Phase


@dataclass(frozen=True, slots=True)
class _Written:
    """One message that is safely in the outbox."""

    change: Change
    incident: Incident
    alert: Alert
    record: Record


class Recorder:
    """Keeps the open incidents of all cameras. Used by one thread at a time; `annotate` by one beside the others."""

    def __init__(
        self,
        outbox: Outbox,
        blobs: BlobStore,
        posts: Sequence[Post],
        witnesses: Mapping[str, Witness],
        *,
        room: Room,
        tell: Tell,
        now: Callable[[], datetime],
        credentials: Credentials | None = None,
    ) -> None:
        """`witnesses` by camera; `now` gives aware UTC for what happens without a frame.

        `room` is shared with whoever else writes; `credentials` are embedded in pictures before these are hashed.
        """
        self._credentials = credentials
        self._outbox = outbox
        self._blobs = blobs
        self._posts = {post.key: post for post in posts}
        self._witnesses = witnesses
        self._tell = tell
        self._now = now
        self._annotator = Annotator(outbox, blobs, tell=tell, now=now)
        self._open: dict[Key, tuple[Incident, ...]] = {}
        self._room = room
        self._lost: Losses | None = None

    def take_up(self, orphan_witness: Witness) -> None:
        """Load what the last run left: incidents still configured go on, others are closed with that reason.

        `orphan_witness` signs for cameras that are no longer there. Raises OutboxFull, StateTooNew.
        """
        with self._outbox.transaction() as transaction:
            store = IncidentStore(transaction.connection)
            store.migrate()
            incidents = store.open_incidents()
            orphans = [each for each in incidents if each.key not in self._posts]
            for orphan in orphans:
                self._close_orphan(transaction, orphan, self._witnesses.get(orphan.key.camera, orphan_witness))
        self._say_orphans_closed(orphans)
        for incident in incidents:
            if incident.key in self._posts:
                self._open[incident.key] = (*self._open.get(incident.key, ()), incident.carried_over())

    def use(self, posts: Sequence[Post], witnesses: Mapping[str, Witness], orphan_witness: Witness) -> None:
        """Go on under another configuration; incidents that it no longer names are closed. Raises OutboxFull."""
        wanted = {post.key: post for post in posts}
        orphans = [each for key, incidents in self._open.items() if key not in wanted for each in incidents]
        with self._outbox.transaction() as transaction:
            for orphan in orphans:
                self._close_orphan(transaction, orphan, witnesses.get(orphan.key.camera, orphan_witness))
        self._posts, self._witnesses = wanted, witnesses
        self._open = {key: incidents for key, incidents in self._open.items() if key in wanted}
        self._say_orphans_closed(orphans)

    def open_incidents(self, camera: str) -> tuple[Incident, ...]:
        """The open incidents of one camera."""
        return tuple(each for key, incidents in self._open.items() if key.camera == camera for each in incidents)

    def record(self, look: Look) -> tuple[Telling, ...]:
        """Fold what a look found into the incidents, and commit what has to be told or noted; what was told."""
        changes = [change for key in self._keys_of(look.frame.camera) for change in self._fold(key, look)]
        for change in changes:
            if change.is_lost:
                self._drop(change)
        due = [change for change in changes if change.phase or change.is_note]
        if not (due or self._lost) or self._room.is_resting(ALERTS, look.frame.monotonic_s):
            return ()
        try:
            written = self._commit(due, look)
        except (OutboxFull, BlobStoreFull) as error:
            self._room.lacks(ALERTS, error, look.frame.monotonic_s)
            return ()
        self._after(written)
        self._room.suffices(ALERTS)
        return tuple(Telling(each.incident.id, each.alert.phase) for each in written)

    def annotate(self, now_s: float) -> bool:
        """Make some of the annotated copies that are due; whether more can be made now (`now_s`: monotonic clock).

        What a look told is never held up by this: call it from a thread of its own, beside `record`.
        """
        if not self._annotator.is_behind or self._room.is_resting(COPIES, now_s):
            return False
        try:
            self._annotator.finish()
        except (AlertsError, OSError, sqlite3.Error, ValueError) as error:
            self._room.lacks(COPIES, error, now_s)
            return False
        self._room.suffices(COPIES)
        return self._annotator.is_behind

    def _keys_of(self, camera: str) -> Iterable[Key]:
        return [key for key in self._posts if key.camera == camera]

    def _fold(self, key: Key, look: Look) -> tuple[Change, ...]:
        changes = fold(
            self._open.get(key, ()),
            look.found.get(key.rule, ()),
            look.moment,
            key=key,
            frame_px=look.frame_px,
            close_after_s=self._close_after_s(key),
            new_id=new_incident_id,
        )
        self._open[key] = tuple(change.incident for change in changes)
        return changes

    def _commit(self, due: Sequence[Change], look: Look) -> list[_Written]:
        picture = self._seal(look) if any(_wants_picture(change) for change in due) else None
        notes = [replace(each.incident, noted_watched_s=look.moment.watched_s) for each in due if each.phase is None]
        with self._outbox.transaction() as transaction:
            store = IncidentStore(transaction.connection)
            self._own_up(transaction)
            for noted in notes:
                store.save(noted)
            written = [self._write(transaction, store, each, look, picture) for each in due if each.phase]
        for noted in notes:
            self._keep(noted)
        self._lost = None
        if picture is not None:
            self._annotator.is_behind = True
        return written

    def _write(
        self, transaction: Transaction, store: IncidentStore, change: Change, look: Look, picture: Artefact | None
    ) -> _Written:
        key, shown = change.incident.key, picture if _wants_picture(change) else None
        alert = write_alert(
            change,
            self._witnesses[key.camera],
            observed_at=look.frame.utc,
            clock=clock_quality(look.frame.utc),
            close_after_s=self._close_after_s(key),
            evidence=(shown,) if shown else (),
            clock_state=clock_state(look.frame.utc, look.frame.monotonic_s),
        )
        record = transaction.append(alert, at=look.frame.utc)
        incident = told(change, look.moment)
        if change.phase is Phase.CLOSED:
            store.remove(incident.id)
        else:
            store.save(incident)
        if shown:
            transaction.queue_upload(
                shown.sha256, size_bytes=shown.size_bytes, role=shown.role, incident=change.incident.id
            )
            store.add_annotations([annotation_of(alert, incident, self._posts[key].rule.zone, shown.sha256)])
        return _Written(change, incident, alert, record)

    def _after(self, written: Sequence[_Written]) -> None:
        """Once it is on the disk: remember that it was told, and tell the people here."""
        for each in written:
            phase = each.alert.phase
            if phase is Phase.CLOSED:
                self._forget(each.incident)
            else:
                self._keep(each.incident)
            reason = {"reason": "unseen"} if phase is Phase.CLOSED else {}
            self._tell(f"incident_{phase}", **_facts(each.incident), revision=each.alert.revision, **reason)
            self._tell(
                "alert_queued",
                incident=each.incident.id,
                phase=phase.value,
                revision=each.alert.revision,
                sequence=each.record.sequence,
                picture_sha256=each.alert.evidence[0].sha256 if each.alert.evidence else "",
            )

    def _seal(self, look: Look) -> Artefact:
        data, packets = seal_picture(look.frame.picture), packets_of_frame(look.frame)
        signed = self._credentials.embed(data, look.frame, packets) if self._credentials else Signed(data)
        if signed.trouble:
            self._tell("trouble", what="content credentials", reason=signed.trouble)
        return picture_artefact(self._blobs.put(signed.data), len(signed.data), packets, signed.outcome)

    def _close_orphan(self, transaction: Transaction, incident: Incident, witness: Witness) -> None:
        now = self._now()
        if incident.told.revision:
            alert = write_orphan(incident, witness, observed_at=now, clock=clock_quality(now))
            transaction.append(alert, at=now)
        IncidentStore(transaction.connection).remove(incident.id)

    def _say_orphans_closed(self, orphans: Sequence[Incident]) -> None:
        for orphan in orphans:
            self._tell("incident_closed", **_facts(orphan), revision=orphan.told.revision + 1, reason="not_configured")

    def _close_after_s(self, key: Key) -> float:
        return float(self._posts[key].rule.parameters.close_after_s)

    def _keep(self, incident: Incident) -> None:
        self._open[incident.key] = tuple(
            incident if each.id == incident.id else each for each in self._open[incident.key]
        )

    def _forget(self, incident: Incident) -> None:
        self._open[incident.key] = tuple(each for each in self._open[incident.key] if each.id != incident.id)

    def _drop(self, change: Change) -> None:
        self._forget(change.incident)
        first_at, last_at = sorted((change.incident.opened_at, change.incident.last_seen_at))
        self._lost = Losses(1, first_at, last_at).after(self._lost)

    def _own_up(self, transaction: Transaction) -> None:
        if self._lost:
            transaction.append(self._lost.owned_up(), at=self._now())


def _wants_picture(change: Change) -> bool:
    """The first message of an incident, and one that says that there are more objects than before."""
    more = len(change.incident.last.objects) > change.incident.told.count
    return change.phase is Phase.OPENED or (change.phase is Phase.UPDATED and more)


def _facts(incident: Incident) -> dict[str, object]:
    return {
        "incident": incident.id,
        "camera": incident.key.camera,
        "rule": incident.key.rule,
        "zone": incident.key.zone,
        "kind": incident.key.kind,
        "objects": len(incident.last.objects),
        "class_name": incident.last.objects[0].class_name,
    }
