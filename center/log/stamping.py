"""Time-stamps of published heads by somebody else (RFC 3161): that a head existed when it says.

The authority sees the SHA-256 of the head's text and nothing more. Its answer is kept only after it was verified
against the root certificates that were configured for it.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import httpx
from cryptography.x509 import Certificate
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, VerifierBuilder
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.errors import StampRejected
from alerts.stamps import MAX_BYTES, check_stamp, read_stamp
from center.errors import StampRefused
from center.log.records import LogCheckpoint, LogTimestamp

QUERY: Final = "application/timestamp-query"
LIMIT_S: Final = 30.0
CLOCKS_APART: Final = timedelta(minutes=2)
"""By so much the authority's clock and ours may differ: else times of receipt would contradict the stamp."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """An authority's answer over a published head, and what it says."""

    answer: bytes
    at: datetime
    url: str


@dataclass(frozen=True, slots=True)
class StampedHead:
    """A published head with a stamp on it. `authority` is the host that was asked: addresses may hold passwords."""

    size: int
    text: str
    at: datetime
    authority: str
    answer: bytes


def fetch_stamp(text: str, *, url: str, roots: Sequence[Certificate], now: datetime) -> Stamp:
    """Have this text stamped, and verify the answer; raises StampRefused in one line."""
    request = TimestampRequestBuilder().data(text.encode()).hash_algorithm(HashAlgorithm.SHA256).build()
    try:
        answer = httpx.post(url, content=request.as_bytes(), headers={"Content-Type": QUERY}, timeout=LIMIT_S)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise StampRefused(f"{url}: no time-stamp: {error}") from error
    if answer.status_code != HTTPStatus.OK:
        raise StampRefused(f"{url}: no time-stamp: it answered with status {answer.status_code}")
    if len(answer.content) > MAX_BYTES:
        raise StampRefused(f"{url}: the answer is longer than any time-stamp")
    try:
        at = check_stamp(answer.content, text.encode(), roots, VerifierBuilder.from_request(request))
    except StampRejected as error:
        raise StampRefused(f"{url}: {error}") from error
    if abs(at - now) > CLOCKS_APART:
        apart_s = round((now - at).total_seconds())
        raise StampRefused(f"{url}: its clock and this machine's are {apart_s} s apart: set this machine's clock first")
    return Stamp(answer.content, at, url)


def keep_stamp(session: Session, head: LogCheckpoint, stamp: Stamp) -> None:
    """Keep a verified stamp of a published head."""
    answer, sha256 = stamp.answer, hashlib.sha256(stamp.answer).hexdigest()
    own = {"tenant": head.tenant, "size": head.size, "sha256": sha256}
    session.add(LogTimestamp(**own, stamped_at=stamp.at, url=stamp.url, response=answer))


def stamps_of(
    session: Session,
    tenant: str,
    *,
    first: int = 0,
    last: int | None = None,
    most: int | None = None,
    newest: bool = False,
) -> Iterator[StampedHead]:
    """The stamped heads of `first` leaves or more, and of `last` at most, as they were stamped; the first `most`.

    With `newest` backwards, the last stamp first.
    """
    joined = (LogCheckpoint.tenant == LogTimestamp.tenant) & (LogCheckpoint.size == LogTimestamp.size)
    rows = select(LogTimestamp, LogCheckpoint.text).join(LogCheckpoint, joined)
    rows = rows.where(LogTimestamp.tenant == tenant, LogTimestamp.size >= first)
    if last is not None:
        rows = rows.where(LogTimestamp.size <= last)
    order = (LogTimestamp.stamped_at, LogTimestamp.size, LogTimestamp.sha256)
    rows = rows.order_by(*(column.desc() if newest else column for column in order)).limit(most)
    for stamp, text in session.execute(rows):
        yield StampedHead(stamp.size, text, stamp.stamped_at, authority_of(stamp.url), stamp.response)


def authority_of(url: str) -> str:
    """Whom an address asks.

    >>> authority_of("https://county:secret@tsa.example.cn:8443/stamp")
    'tsa.example.cn'
    """
    return urlsplit(url).hostname or ""


def trouble_of(stamp: LogTimestamp, text: str | None) -> str:
    """What is wrong with a stamp that was kept, in words; empty if it is about its head as it was published."""
    if text is None:
        return "no head of that size was published"
    try:
        at = read_stamp(stamp.response, text.encode())
    except StampRejected as error:
        return str(error)
    return "" if at == stamp.stamped_at else f"it is of {at.isoformat()}"
