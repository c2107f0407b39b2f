"""How far this machine's clock can be trusted.

A box without a battery clock boots in 1970 and is right only after it heard a time server. The kernel knows
(`adjtimex(2)`: every NTP daemon keeps its `STA_UNSYNC` bit); inside some containers that call is forbidden, then
systemd-timesyncd's mark is looked at.
"""

import ctypes
import errno
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Literal

from alerts.messages import ClockQuality, ClockState

EARLIEST_YEAR = 2024
"""No box was made before; a clock that says so has not been set."""

TIMESYNC_MARK = Path("/run/systemd/timesync/synchronized")

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

_STA_UNSYNC = 0x0040
_STA_NANO = 0x2000
_TIME_ERROR = 5


class _Timex(ctypes.Structure):
    """`struct timex` of Linux up to `status`, and room for the rest (208 bytes on 64-bit machines)."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def utc_now() -> datetime:
    """The wall clock, aware UTC."""
    return datetime.now(UTC)


def is_credible(utc: datetime) -> bool:
    """Whether a clock that says so can have been set at all."""
    return utc.year >= EARLIEST_YEAR


def clock_quality(now: datetime) -> ClockQuality:
    """Quality of the clock that says `now`."""
    if not is_credible(now):
        return ClockQuality.UNSYNCHRONISED
    kernel = _kernel_says()
    if kernel is ClockQuality.UNKNOWN and TIMESYNC_MARK.exists():
        return ClockQuality.SYNCHRONISED
    return kernel


@cache
def boot_id(path: Path = BOOT_ID) -> str:
    """The kernel's name for this boot, `unknown` where it has none."""
    try:
        return path.read_text("ascii").strip() or "unknown"
    except OSError:
        return "unknown"


def clock_state(utc: datetime, monotonic_s: float) -> ClockState:
    """What is known of the clock that says `utc` when the monotonic clock says `monotonic_s`."""
    state = _Timex()
    kernel = _kernel_says(state)
    is_told = kernel is not ClockQuality.UNKNOWN
    quality = clock_quality(utc)
    is_set = quality is ClockQuality.SYNCHRONISED
    nobody: Literal["nobody", "unknown"] = "unknown" if quality is ClockQuality.UNKNOWN else "nobody"
    per_us = 1000 if state.status & _STA_NANO else 1
    return ClockState(
        utc=utc,
        boot=boot_id(),
        monotonic_ms=max(0, round(monotonic_s * 1000)),
        source=("kernel" if is_told else "timesyncd") if is_set else nobody,
        offset_us=round(state.offset / per_us) if is_told else None,
        max_error_us=max(0, state.maxerror) if is_told else None,
    )


def _kernel_says(state: _Timex | None = None) -> ClockQuality:
    """The kernel's word, its figures left in `state`."""
    state = _Timex() if state is None else state
    try:
        verdict = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(state))
    except (OSError, AttributeError):
        return ClockQuality.UNKNOWN
    if verdict < 0:
        return (
            ClockQuality.UNKNOWN if ctypes.get_errno() in (errno.EPERM, errno.ENOSYS) else ClockQuality.UNSYNCHRONISED
        )
    if verdict == _TIME_ERROR or state.status & _STA_UNSYNC:
        return ClockQuality.UNSYNCHRONISED
    return ClockQuality.SYNCHRONISED
