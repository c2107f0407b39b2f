"""Time-stamps by an outside authority (RFC 3161): reading them, and whether one holds.

The library that reads them is no part of the bare package, for few readers have the roots to check one with:
`teawatch[stamps]` brings it, and so does the extra `center`.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography.x509 import Certificate, load_pem_x509_certificates

from alerts.errors import StampRejected

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse, VerifierBuilder

MAX_BYTES: Final = 65_536


def load_roots(path: Path) -> tuple[Certificate, ...]:
    """The certificates an authority's stamps must lead to, from a PEM file. Raises StampRejected."""
    _require_library()
    try:
        return tuple(load_pem_x509_certificates(path.read_bytes()))
    except OSError as error:
        raise StampRejected(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise StampRejected(f"{path}: no certificates can be read from it; they are expected in PEM") from error


def check_stamp(
    answer: bytes, message: bytes, roots: Sequence[Certificate], verifier: "VerifierBuilder | None" = None
) -> datetime:
    """When the authority stamped this message, once its answer leads to one of the roots. Raises StampRejected.

    `verifier` is what its request asks of the answer besides.
    """
    _require_library()
    from rfc3161_client import VerificationError, VerifierBuilder  # noqa: PLC0415 - not in the bare package

    builder = verifier or VerifierBuilder()
    for root in roots:
        builder = builder.add_root_certificate(root)
    stamp = _decode(answer)
    try:
        builder.build().verify_message(stamp, message)
    except (ValueError, VerificationError) as error:
        raise StampRejected(f"the time-stamp does not hold: {error}") from error
    return stamp.tst_info.gen_time


def read_stamp(answer: bytes, message: bytes) -> datetime:
    """When a stamp says that it was made, if it is about this message at all; who made it, it does not show.

    Raises StampRejected.
    """
    _require_library()
    info = _decode(answer).tst_info
    if info.message_imprint.message != hashlib.sha256(message).digest():
        raise StampRejected("the time-stamp is about something else")
    return info.gen_time


def _decode(answer: bytes) -> "TimeStampResponse":
    from rfc3161_client import decode_timestamp_response  # noqa: PLC0415 - not in the bare package

    if len(answer) > MAX_BYTES:
        raise StampRejected("longer than any time-stamp")
    try:
        stamp = decode_timestamp_response(answer)
        stamp.tst_info.gen_time  # noqa: B018 - it is read only now, and may be nonsense
    except ValueError as error:
        raise StampRejected(f"the time-stamp cannot be read: {error}") from error
    return stamp


def _require_library() -> None:
    try:
        import rfc3161_client  # noqa: F401, PLC0415 - not in the bare package
    except ModuleNotFoundError:
        raise StampRejected("time-stamps cannot be checked here: pip install 'teawatch[stamps]'") from None
