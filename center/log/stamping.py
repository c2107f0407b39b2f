"""Time-stamps of published heads by somebody else (RFC 3161): that a head existed when it says.

The authority sees the SHA-256 of the head's text and nothing more. Its answer is kept only after it was verified
against the root certificates that were configured for it.
"""

from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Final

import httpx
from cryptography.x509 import Certificate, load_pem_x509_certificates
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)
from sqlalchemy.orm import Session

from center.errors import StampRefused
from center.log.records import LogCheckpoint, LogTimestamp

QUERY: Final = "application/timestamp-query"
LIMIT_S: Final = 30.0
MOST_BYTES: Final = 65_536


def load_roots(path: Path) -> tuple[Certificate, ...]:
    """The certificates an authority's stamps must lead to, from a PEM file; raises StampRefused."""
    try:
        return tuple(load_pem_x509_certificates(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise StampRefused(f"{path}: no certificates can be read from it: {error}") from error


def fetch_stamp(text: str, *, url: str, roots: tuple[Certificate, ...]) -> TimeStampResponse:
    """Have this text stamped, and verify the answer; raises StampRefused in one line."""
    request = TimestampRequestBuilder().data(text.encode()).hash_algorithm(HashAlgorithm.SHA256).build()
    try:
        answer = httpx.post(url, content=request.as_bytes(), headers={"Content-Type": QUERY}, timeout=LIMIT_S)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise StampRefused(f"{url}: no time-stamp: {error}") from error
    if answer.status_code != HTTPStatus.OK:
        raise StampRefused(f"{url}: no time-stamp: it answered with status {answer.status_code}")
    if len(answer.content) > MOST_BYTES:
        raise StampRefused(f"{url}: the answer is longer than any time-stamp")
    verifier = VerifierBuilder.from_request(request)
    for root in roots:
        verifier = verifier.add_root_certificate(root)
    try:
        stamp = decode_timestamp_response(answer.content)
        verifier.build().verify_message(stamp, text.encode())
    except (ValueError, VerificationError) as error:
        raise StampRefused(f"{url}: the time-stamp does not hold: {error}") from error
    return stamp


def keep_stamp(session: Session, head: LogCheckpoint, stamp: TimeStampResponse, *, url: str) -> datetime:
    """Keep a verified stamp of a published head; the time it says."""
    at = stamp.tst_info.gen_time
    session.add(LogTimestamp(tenant=head.tenant, size=head.size, stamped_at=at, url=url, response=stamp.as_bytes()))
    return at
