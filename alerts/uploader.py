"""Brings evidence to the centre: each file by its hash, once the centre has confirmed the record that announced it.

Alerts go first: see `alerts.pace`.
"""

import base64
import binascii
import re
import shutil
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from http import HTTPStatus
from pathlib import Path
from typing import Self

import httpx
import structlog

from alerts import dsse, uploads, wire
from alerts.blobs import BlobStore
from alerts.clocks import utc_now
from alerts.connection import backoff_s
from alerts.door import Door
from alerts.errors import AlertsError, MalformedMessage
from alerts.events import read_message
from alerts.http_messages import UploadClaim
from alerts.identity import Identity
from alerts.keys import KeyFinder
from alerts.outbox import Outbox
from alerts.pace import LEAST_QUEUED_BYTES, PIECE_BYTES, Pace, queue_bytes
from alerts.publisher import OnEvent
from alerts.shedding import shed
from alerts.tls import explain
from alerts.uploads import Waiting
from alerts.web import open_client, reason_of

SCHEME = "TeaWatch"
OFFSET_HEADER = "Upload-Offset"
_CONTENT_RANGE = re.compile(r"bytes (?:(?P<first>\d{1,10})-\d{1,10}|\*)/\d{1,10}", re.ASCII)
CLAIM_TYPE = dsse.payload_type_of(UploadClaim.TYPE)
MAX_HEADER_BYTES = 4096

KEEP = timedelta(hours=24)
"""So long a file stays on the box after the centre has it: for the technician on site, and for a centre that lost a
disk. A full disk ends the wait."""

ASKED_BYTES = 262_144
"""Before a file of this size, or one that was tried before, the centre is asked how much of it it has already."""

PAUSE_S = 30.0
LOOK_S = 0.25
"""While a piece waits for alerts, so often it is looked whether they are gone."""

RETRY_CAP_S = 60.0
MISMATCHES = 5
TIMEOUT = httpx.Timeout(15.0, connect=5.0)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Claim:
    """A verified Authorization header: which device brings which file, and the key that signed it."""

    tenant: str
    device: str
    sha256: str
    size_bytes: int
    key_id: str


def upload_token(identity: Identity, sha256: str, size_bytes: int) -> str:
    """The value of the Authorization header for one file. It is good for this file only, so it needs no expiry."""
    claim = UploadClaim(tenant=identity.tenant, device=identity.device, sha256=sha256, size_bytes=size_bytes)
    envelope = dsse.seal(wire.encode(claim), CLAIM_TYPE, identity.signing_key)
    return f"{SCHEME} {base64.b64encode(envelope).decode()}"


def content_range(offset: int, size_bytes: int) -> str:
    """The header of a piece that reaches to the end (RFC 9110, 14.4 and 14.5); of one without bytes, at the end."""
    return f"bytes {offset}-{size_bytes - 1}/{size_bytes}" if offset < size_bytes else f"bytes */{size_bytes}"


def read_content_range(header: str, size_bytes: int) -> int:
    """Where the piece begins that reaches to the end of a file of this size; raises MalformedMessage."""
    match = _CONTENT_RANGE.fullmatch(header)
    offset = int(match["first"] or size_bytes) if match else 0
    if match is None or header != content_range(offset, size_bytes):
        raise MalformedMessage(f"a Content-Range up to the end of {size_bytes} bytes is expected")
    return offset


def read_upload_token(header: str, find_key: KeyFinder) -> Claim:
    """Verify the header; raises the classes under MessageError. Whose key it was is for the caller to check."""
    scheme, _, text = header.partition(" ")
    if scheme != SCHEME or len(text) > MAX_HEADER_BYTES:
        raise MalformedMessage(f"an Authorization header of the scheme {SCHEME} is expected")
    try:
        envelope = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedMessage("wrong base64 in the Authorization header") from None
    opened = dsse.open_sealed(envelope, CLAIM_TYPE, find_key)
    wire.decode_object(opened.payload)
    claim = read_message(UploadClaim, opened.payload)
    return Claim(claim.tenant, claim.device, claim.sha256, claim.size_bytes, opened.key_id)


class _Outcome(Enum):
    SENT = auto()
    LATER = auto()
    UNREACHABLE = auto()
    MISMATCH = auto()
    HOPELESS = auto()


_OUTCOMES: dict[int, _Outcome] = {
    HTTPStatus.OK: _Outcome.SENT,
    HTTPStatus.CREATED: _Outcome.SENT,
    HTTPStatus.NO_CONTENT: _Outcome.SENT,
    HTTPStatus.CONFLICT: _Outcome.MISMATCH,
    HTTPStatus.UNPROCESSABLE_ENTITY: _Outcome.MISMATCH,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: _Outcome.HOPELESS,
}


CANNOT_SAY = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED)
"""A centre that was never asked such a thing is brought the whole."""


def _offset(told: httpx.Response, size_bytes: int) -> int:
    text = told.headers.get(OFFSET_HEADER, "") if told.is_success else ""
    return int(text) if text.isdecimal() and int(text) <= size_bytes else 0


class Uploader:
    """Sends in the background between `start` and `stop`; what broke off goes on where it ended.

    Events: `file_sent` (sha256, size_bytes), `file_waits` (sha256, reason), `file_refused` (sha256, reason),
    `files_discarded` (count, reason), `outbox_trouble` (reason). A file the centre refuses five times for its hash, or
    that is no longer on the disk as it was announced, is given up and said so. However often the centre cannot be
    reached or is busy, the file waits.
    """

    def __init__(
        self,
        outbox: Outbox,
        blobs: BlobStore,
        identity: Identity,
        *,
        on_event: OnEvent | None = None,
        now: Callable[[], datetime] = utc_now,
        keep: timedelta = KEEP,
        limit_bits_per_s: int = 0,
        keep_free_bytes: int = 0,
        open_incidents: Callable[[], Collection[str]] = tuple,
        transport: httpx.BaseTransport | None = None,
        door: Door | None = None,
    ) -> None:
        """`limit_bits_per_s`: files never go faster than that; 0: as fast as the link carries them.

        `door`: the way to the centre, if it is not the usual one of this identity.

        Where less than `keep_free_bytes` of the disk are free, files are given up (see `alerts.shedding`), sealed
        pictures of `open_incidents` last.
        """
        self._outbox = outbox
        self._blobs = blobs
        self._identity = identity
        self._on_event = on_event
        self._now = now
        self._keep = keep
        self._pace = Pace(limit_bits_per_s)
        self._keep_free_bytes = keep_free_bytes
        self._open_incidents = open_incidents
        self._client = open_client(
            identity.center_url,
            timeout=TIMEOUT,
            transport=transport,
            tls=(door or Door(identity)).to_web(),
            socket_options=((socket.SOL_SOCKET, socket.SO_SNDBUF, LEAST_QUEUED_BYTES),),
        )
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._not_before_s: dict[str, float] = {}
        self._thread = threading.Thread(target=self._run, name="uploader", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._outbox.add_listener(self._wake.set)
        self._thread.start()

    def stop(self) -> None:
        """Break off a transfer that is under way (it goes on another time) and end the thread."""
        self._stopping.set()
        self._wake.set()
        self._thread.join()
        self._outbox.remove_listener(self._wake.set)
        self._client.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def limit(self, bits_per_s: int) -> None:
        """From now on never faster than that; 0: as fast as the link carries it."""
        self._pace.limit_bits_per_s = bits_per_s

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                self.make_room()
                self.send_ready()
                self.clear_old(keep=timedelta(0) if self._outbox.trouble else self._keep)
            except (AlertsError, OSError) as error:
                self._tell("outbox_trouble", reason=str(error))
            except Exception:
                log.exception("uploader_failed")
            soonest_s = min(self._not_before_s.values(), default=time.monotonic() + PAUSE_S)
            self._wake.wait(min(PAUSE_S, max(0.1, soonest_s - time.monotonic())))

    def send_ready(self) -> None:
        """One round: every file that may go now, each at most once."""
        for waiting in uploads.ready_uploads(self._outbox, limit=256):
            if self._stopping.is_set():
                return
            resting = self._not_before_s.get(waiting.sha256, 0.0) > time.monotonic()
            if not resting and self._send(waiting) is _Outcome.UNREACHABLE:
                return

    def make_room(self) -> None:
        """Give files up while the disk has less free than is kept, as long as there are any."""
        while (lacking := self._keep_free_bytes - shutil.disk_usage(self._blobs.folder).free) > 0:
            given_up = shed(self._outbox, lacking, spared=self._open_incidents(), at=self._now())
            for each in given_up:
                self._blobs.remove(each.sha256)
                if not each.waited:
                    uploads.forget(self._outbox, each.sha256)
            lost = [each.sha256 for each in given_up if each.waited]
            if lost:
                self._tell("files_discarded", count=len(lost), reason="the disk was full")
            if not given_up:
                return

    def clear_old(self, *, keep: timedelta) -> None:
        """Delete files that were settled more than `keep` ago."""
        for sha256 in uploads.settled_before(self._outbox, self._now() - keep):
            self._blobs.remove(sha256)
            uploads.forget(self._outbox, sha256)

    def _send(self, waiting: Waiting) -> _Outcome:
        path = self._blobs.path(waiting.sha256)
        if path.is_file() and path.stat().st_size == waiting.size_bytes:
            outcome, reason = self._put(waiting, path)
        else:
            outcome, reason = _Outcome.HOPELESS, "the file is no longer on the disk as it was announced"
        is_mismatch = outcome is _Outcome.MISMATCH
        if outcome is _Outcome.SENT:
            uploads.note_sent(self._outbox, waiting.sha256, self._now())
            self._not_before_s.pop(waiting.sha256, None)
            self._tell("file_sent", sha256=waiting.sha256, size_bytes=waiting.size_bytes)
        elif outcome is _Outcome.HOPELESS or (is_mismatch and waiting.mismatches + 1 >= MISMATCHES):
            self._give_up(waiting, reason)
        else:
            pause_s = backoff_s(waiting.attempts + 1, cap_s=RETRY_CAP_S)
            self._not_before_s[waiting.sha256] = time.monotonic() + pause_s
            uploads.note_attempt(self._outbox, waiting.sha256, reason, is_mismatch=is_mismatch)
            self._tell("file_waits", sha256=waiting.sha256, reason=reason)
        return outcome

    def _give_up(self, waiting: Waiting, reason: str) -> None:
        uploads.note_refused(self._outbox, waiting.sha256, self._now(), reason)
        self._not_before_s.pop(waiting.sha256, None)
        self._tell("file_refused", sha256=waiting.sha256, reason=reason)

    def _put(self, waiting: Waiting, path: Path) -> tuple[_Outcome, str]:
        address = f"{self._identity.center_url}/api/v1/evidence/{waiting.sha256}"
        token = {"Authorization": upload_token(self._outbox.identity, waiting.sha256, waiting.size_bytes)}
        try:
            offset = 0
            if waiting.attempts or waiting.size_bytes >= ASKED_BYTES:
                told = self._client.head(address, headers=token)
                if told.status_code not in CANNOT_SAY and not told.is_success:
                    return _OUTCOMES.get(told.status_code, _Outcome.LATER), reason_of(told)
                offset = _offset(told, waiting.size_bytes)
            headers = token | {
                "Content-Length": str(waiting.size_bytes - offset),
                "Content-Type": "application/octet-stream",
            }
            if offset:
                headers["Content-Range"] = content_range(offset, waiting.size_bytes)
            began_s = time.monotonic()
            response = self._client.put(address, content=self._pieces(path, offset), headers=headers)
            _fit_queue(response, waiting.size_bytes - offset, time.monotonic() - began_s)
        except httpx.HTTPError as error:
            return _Outcome.UNREACHABLE, f"{self._identity.center_url}: {explain(error)}"
        outcome = _OUTCOMES.get(response.status_code, _Outcome.LATER)
        return outcome, reason_of(response)

    def _pieces(self, path: Path, offset: int) -> Iterator[bytes]:
        with path.open("rb") as file:
            file.seek(offset)
            while piece := file.read(PIECE_BYTES):
                self._wait_turn()
                yield piece
                self._pace.sent(len(piece), time.monotonic())

    def _wait_turn(self) -> None:
        while (pause_s := self._pace.pause_s(time.monotonic(), uploads.oldest_record(self._outbox))) > 0:
            if self._stopping.wait(min(pause_s, LOOK_S)):
                break
        if self._stopping.is_set():
            raise httpx.RequestError("the box is stopping")

    def _tell(self, event: str, **detail: object) -> None:
        (log.info if event == "file_sent" else log.warning)(event, **detail)
        if self._on_event:
            with suppress(Exception):
                self._on_event(event, detail)


def _fit_queue(response: httpx.Response, sent_bytes: int, took_s: float) -> None:
    """Give the connection, if it lives on, a buffer that fits the link.

    Short on a slow one, so that alerts need not wait behind it; long enough on a fast one to fill it.
    """
    stream = response.extensions.get("network_stream")
    line = stream.get_extra_info("socket") if stream is not None else None
    if line is not None:
        with suppress(OSError):  # closed meanwhile: the next connection begins with a short one
            line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, queue_bytes(sent_bytes, took_s))
