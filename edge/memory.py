"""How much memory this process takes, and has taken at most; and what it does not need is given back."""

import ctypes
from pathlib import Path

KIB_PER_MIB = 1024

_STATUS = Path("/proc/self/status")
_TRIM = getattr(ctypes.CDLL(None), "malloc_trim", None)


def peak_resident_mib() -> int:
    """Peak resident memory in MiB, from the kernel's own account (`VmHWM`, proc(5)).

    `getrusage` is not asked: its figure begins with that of the process that started this one.
    """
    return int(_mib("VmHWM"))


def resident_mib() -> float:
    """Resident memory in MiB just now (`VmRSS`, proc(5))."""
    return _mib("VmRSS")


def give_back() -> None:
    """Return freed pages to the system, where the C library can (glibc: malloc_trim(3)).

    Every thread has an arena of its own that by itself shrinks only from its top. Packets of all sizes, kept for a
    while and freed by other threads, leave holes below, and every new worst case would stay for good.
    """
    if _TRIM is not None:
        _TRIM(0)


def _mib(field: str) -> float:
    for line in _STATUS.read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) / KIB_PER_MIB
    return 0.0
