"""How much memory this process takes, and has taken at most."""

from pathlib import Path

KIB_PER_MIB = 1024

_STATUS = Path("/proc/self/status")


def peak_resident_mib() -> int:
    """Peak resident memory in MiB, from the kernel's own account (`VmHWM`, proc(5)).

    `getrusage` is not asked: its figure begins with that of the process that started this one.
    """
    return int(_mib("VmHWM"))


def resident_mib() -> float:
    """Resident memory in MiB just now (`VmRSS`, proc(5))."""
    return _mib("VmRSS")


def _mib(field: str) -> float:
    for line in _STATUS.read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) / KIB_PER_MIB
    return 0.0
