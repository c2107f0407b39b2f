"""How much memory this process has taken at most."""

from pathlib import Path

KIB_PER_MIB = 1024


def peak_resident_mib() -> int:
    """Peak resident memory in MiB, from the kernel's own account (`VmHWM`, proc(5)).

    `getrusage` is not asked: its figure begins with that of the process that started this one.
    """
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) // KIB_PER_MIB
    return 0
