"""TLS with the centre: its authority pinned, names checked, certificates judged by a clock that can be right.

A box without a battery clock boots in 1970, when no certificate is good yet. OpenSSL would ask the system's clock; so
it is told to leave dates alone, and they are judged here, after each handshake and before a byte of ours is sent, by
the system's clock where a time server keeps it, else by the time the centre has signed (`alerts.trust`). While there
is neither, nothing is judged and nobody is spoken to.
"""

import ssl
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from alerts.certificates import lifetime
from alerts.clocks import clock_quality, is_credible, utc_now
from alerts.errors import AlertsError, CertificateOutOfDate, MalformedMessage, TimeUnknown, TlsError, TlsTrouble
from alerts.messages import ClockQuality

NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which Python's `ssl` does not name."""

ASK_AGAIN_S = 5.0

log = structlog.get_logger(__name__)


class TrustedClock:
    """The time by which certificates are judged; usable from any thread."""

    def __init__(
        self,
        ask_centre: Callable[[], datetime],
        *,
        system: Callable[[], datetime] = utc_now,
        quality: Callable[[datetime], ClockQuality] = clock_quality,
    ) -> None:
        """`ask_centre` fetches the time that the centre signs, or raises AlertsError."""
        self._ask_centre = ask_centre
        self._system = system
        self._quality = quality
        self._lock = threading.Lock()
        self._told: tuple[datetime, float] | None = None
        self._trouble = ""
        self._ask_after_s = 0.0

    def now(self) -> datetime:
        """Raises TimeUnknown where this machine's clock was never set and the centre has not told the time yet.

        A clock that was set once and that nobody keeps is better than none: it counts while the centre cannot be asked.
        """
        system = self._system()
        if self._quality(system) is not ClockQuality.UNSYNCHRONISED:
            return system
        with self._lock:
            if self._told is None:
                self._ask(system)
            if self._told is None and is_credible(system):
                return system
            if self._told is None:
                raise TimeUnknown(
                    f"this box's clock says {system:%Y-%m-%d} and no time server keeps it; certificates wait until the"
                    f" centre has told the time: {self._trouble}"
                )
            told_at, told_s = self._told
            return told_at + timedelta(seconds=time.monotonic() - told_s)

    def _ask(self, system: datetime) -> None:
        if time.monotonic() < self._ask_after_s:
            return
        try:
            told_at = self._ask_centre()
        except AlertsError as error:
            self._trouble = str(error)
            self._ask_after_s = time.monotonic() + ASK_AGAIN_S
            return
        self._told = (told_at, time.monotonic())
        log.info("time_from_centre", centre=told_at.isoformat(), system=system.isoformat())


class _Socket(ssl.SSLSocket):
    """Judges the other side's certificate as soon as it is known; closed where it is not trusted."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - as the base class has it
        try:
            super().do_handshake(block)
            if isinstance(self.context, Context):
                self.context.judge(self.getpeercert())
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except OSError:
            self.close()
            raise


class Context(ssl.SSLContext):
    """A client's context for connections to servers of one pinned authority."""

    sslsocket_class = _Socket
    now: Callable[[], datetime]

    def judge(self, peer: Any) -> None:  # noqa: ANN401 - as `ssl` describes a certificate
        """Raises CertificateOutOfDate, TimeUnknown."""
        _judge_dates("the server's certificate", _moment(peer["notBefore"]), _moment(peer["notAfter"]), self.now())


def client_context(ca: str, now: Callable[[], datetime], certificate: Path | None = None) -> Context:
    """TLS 1.2 or later with servers whose certificate this authority made; `certificate` shows who we are.

    Raises TlsTrouble, CertificateOutOfDate, TimeUnknown for what is wrong with our own side.
    """
    context = Context(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= NO_CHECK_TIME
    context.now = now
    try:
        context.load_verify_locations(cadata=ca)
        if certificate is not None:
            _judge_dates("this box's certificate", *lifetime(certificate.read_bytes()), now())
            context.load_cert_chain(certificate)
    except TlsError:
        raise
    except (OSError, MalformedMessage) as error:
        what = certificate or "the authority in identity.json"
        raise TlsTrouble(f"{what}: cannot be used: {error}; a new one is fetched from the centre") from None
    return context


def explain(error: BaseException) -> str:
    """What went wrong with TLS in one line that says what to do; other errors in their own words.

    Libraries wrap what the handshake raised: the innermost error of ours or of `ssl` counts.
    """
    inner: BaseException | None = error
    while inner is not None and not isinstance(inner, (ssl.SSLError, AlertsError)):
        inner = inner.__cause__ or inner.__context__
    error = inner or error
    if isinstance(error, ssl.SSLCertVerificationError):
        if "ostname" in error.verify_message or "IP address" in error.verify_message:
            return (
                f"its certificate is for another name ({error.verify_message}): add the name to tls.names at the centre"
            )
        return f"its certificate was not made by this box's centre ({error.verify_message}): is this the right address?"
    if isinstance(error, ssl.SSLError) and "ALERT" in str(error.reason):
        return f"it refused this box's certificate ({error.reason}): was the box shut out? Else enrol it again"
    if isinstance(error, ssl.SSLError):
        return f"it does not speak TLS as this box does ({error.reason or error})"
    return str(error) or type(error).__name__


def _judge_dates(whose: str, not_before: datetime, not_after: datetime, now: datetime) -> None:
    if now > not_after:
        raise CertificateOutOfDate(
            f"{whose} expired at {not_after:%Y-%m-%d %H:%M} UTC; by our clock it is {now:%Y-%m-%d %H:%M}"
        )
    if now < not_before:
        raise CertificateOutOfDate(
            f"{whose} begins at {not_before:%Y-%m-%d %H:%M} UTC; by our clock it is {now:%Y-%m-%d %H:%M}: is it set?"
        )


def _moment(text: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC)
