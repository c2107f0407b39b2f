"""How much memory this process takes, and has taken at most; and what it does not need is given back."""

import ctypes
from pathlib import Path

KIB_PER_MIB = 1024

_STATUS = Path("/proc/self/status")
_LIBRARY = ctypes.CDLL(None)
_TRIM = getattr(_LIBRARY, "malloc_trim", None)
_SET = getattr(_LIBRARY, "mallopt", None)
_MOST_ARENAS_SETTING = -8
_MOST_ARENAS = 2


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


def share_arenas() -> None:
    """Let all threads allocate from two arenas instead of one each, where the C library can (glibc: mallopt(3)).

    What one camera's thread frees, another's may then use. To be called before threads are started.
    """
    if _SET is not None:
        _SET(_MOST_ARENAS_SETTING, _MOST_ARENAS)


def _mib(field: str) -> float:
    for line in _STATUS.read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) / KIB_PER_MIB
    return 0.0
